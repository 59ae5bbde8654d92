# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# User-Mode Linux, Debian's: a kernel that is a program of the host's.

side()
{
	local root
	root=$(peer_packages uml user-mode-linux) || return 1
	host_machine --no-load --qemu -plugin --qemu "$out/expensive.so,out=$out/uml.marks" \
		--add "$out/bench.cpio" --add "$out/bench" --add "$root/usr/bin/linux.uml:lg/linux.uml" \
		--add "$bench/sides/in-host.sh" --add "$bench/sides/uml-in-host" -- \
		/lg/uml-in-host "$guest_memory" \
		"quiet panic=-1 bench_end=poweroff $(arguments "$@")" >"$out/uml.txt"
}
