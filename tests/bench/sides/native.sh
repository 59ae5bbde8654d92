# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# The guest kernel, unchanged, on the emulated machine itself: the difference to it is the
# cost of virtualisation.

side()
{
	local machine=(-m "$guest_memory" -initrd "$out/bench.cpio")
	local started
	started=$(firmware_ticks "${machine[@]}") || return 1
	plain_machine "${machine[@]}" -kernel "$guest" -serial "file:$out/native.console" \
		-plugin "$out/expensive.so,out=$out/native.marks" \
		-append "$kernel_arguments console=ttyS0 bench_end=reboot $(arguments "$@")" >&2 || return 1
	{ echo "started $started"; tr -d '\r' <"$out/native.console"; } >"$out/native.txt"
}
