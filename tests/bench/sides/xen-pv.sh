# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# Debian's Xen and its first domain, a PV guest with Debian's 6.1 kernel. The time of the boot
# is that of both.

side()
{
	local root kernel words started machine=(-m 2G)
	root=$(peer_packages xen xen-hypervisor-4.17-amd64) || return 1
	kernel=$("$LG_TOP/scripts/fetch-kernel" 6.1-full) || return 1
	gunzip -c "$root/boot/xen-4.17-amd64.gz" >"$out/xen" || return 1
	started=$(firmware_ticks "${machine[@]}") || return 1
	words="$kernel_arguments console=hvc0 bench_end=reboot $(arguments "$@")"
	# A comma ends a module's arguments; two commas stand for one.
	plain_machine "${machine[@]}" -kernel "$out/xen" \
		-append "xen console=com1 com1=115200,8n1 dom0_mem=${guest_memory}M,max:${guest_memory}M" \
		-initrd "$(readlink -f "$kernel/vmlinuz") ${words//,/,,},$out/bench.cpio" \
		-serial "file:$out/xen-pv.console" \
		-plugin "$out/expensive.so,out=$out/xen-pv.marks" >&2 || return 1
	{ echo "started $started"; tr -d '\r' <"$out/xen-pv.console"; } >"$out/xen-pv.txt"
}
