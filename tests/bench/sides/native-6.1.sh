# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# Debian's 6.1 kernel on the emulated machine itself: compared with Xen, whose first domain
# runs this kernel.

side()
{
	local machine=(-m "$guest_memory" -initrd "$out/bench.cpio") kernel started
	kernel=$("$LG_TOP/scripts/fetch-kernel" 6.1-full) || return 1
	started=$(firmware_ticks "${machine[@]}") || return 1
	plain_machine "${machine[@]}" -kernel "$kernel/vmlinuz" -serial "file:$out/native-6.1.console" \
		-plugin "$out/expensive.so,out=$out/native-6.1.marks" \
		-append "$kernel_arguments console=ttyS0 bench_end=reboot $(arguments "$@")" >&2 || return 1
	{ echo "started $started"; tr -d '\r' <"$out/native-6.1.console"; } >"$out/native-6.1.txt"
}
