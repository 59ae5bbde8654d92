# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# Debian's User-Mode Linux: a kernel that is a program on the host.

# in_uml NAME DEVICES OPERATION...
in_uml()
{
	local root name=$1 devices=$2
	shift 2
	root=$(peer_packages uml user-mode-linux) || return 1
	host_machine --no-load --qemu -plugin --qemu "$out/expensive.so,out=$out/$name.marks" \
		--add "$out/bench.cpio" --add "$out/bench" --add "$root/usr/bin/linux.uml:lg/linux.uml" \
		--add "$bench/sides/in-host.sh" --add "$bench/sides/uml-in-host" -- \
		/lg/uml-in-host "$guest_memory" \
		"quiet panic=-1 bench_end=poweroff $(arguments "$@")" "$devices" >"$out/$name.txt"
}

side() { in_uml uml '' "$@"; }

# User-Mode Linux has no user network.
devices()
{
	local operation with=()
	for operation; do
		[[ $operation = *_user ]] || with+=("$operation")
	done
	[ ${#with[@]} = 0 ] || in_uml uml.devices devices "${with[@]}"
}
