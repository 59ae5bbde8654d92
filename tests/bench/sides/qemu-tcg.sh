# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# QEMU's translator, inside the host: it needs no feature of the processor.

in_tcg()
{
	rm -rf "$out/modules"
	mkdir -p "$out/modules"
	qemu_in_host "$1" "$2" tcg "$bench_cpu" -- "${@:3}"
}

side() { in_tcg qemu-tcg pc "$@"; }
devices() { in_tcg qemu-tcg.devices "$qemu_devices" "$@"; }
