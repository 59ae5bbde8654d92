# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# QEMU's translator, inside the host: it needs nothing of the processor.

side()
{
	rm -rf "$out/modules"
	mkdir -p "$out/modules"
	qemu_in_host qemu-tcg tcg "$bench_cpu" -- "$@"
}
