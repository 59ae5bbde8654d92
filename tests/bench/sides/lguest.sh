# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# lguest: the guest kernel under lguest, in a stock Debian host.

# in_lguest NAME DEVICES OPERATION...
in_lguest()
{
	local name=$1 devices=$2
	shift 2
	host_machine --qemu -plugin --qemu "$out/expensive.so,out=$out/$name.marks" \
		--add "$out/bench.cpio" --add "$out/bench" --add "$out/hypercall" \
		--add "$bench/sides/in-host.sh" --add "$bench/sides/lguest-in-host" -- \
		/lg/lguest-in-host "$guest_memory" \
		"$kernel_arguments bench_end=poweroff $(arguments "$@")" "$devices" >"$out/$name.txt"
}

side() { in_lguest lguest '' "$@"; }
devices() { in_lguest lguest.devices devices "$@"; }
