#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Each patch of the guest's series, on top of those before it, gives a kernel that builds
# and boots: on a PC; from the patch on that brings the entry point, as a guest too; and
# from the one on that brings more CPUs, with two of them. The kernel is as small as can be
# (tests/guest-series.config). Fails with the patch that breaks it. Without ccache's help
# four of the builds compile all of it.
#
#   GUEST_PATCHES   another folder of patches, say one that is to fail
set -u
cd "$(dirname -- "$0")/../.." || exit 1
. tests/selftests/check.sh
. scripts/lib.sh
work=$(mktemp -d)
trap 'rm -rf "$work" "$LG_BUILD/guest-6.12-guest-series"' EXIT

series=${GUEST_PATCHES:-$PWD/guest-patches/6.12}
cache=$LG_BUILD/guest-series-each so_far=$work/patches

# A folder with the patches so far, and no more configuration than they know. The cache is
# one of its own: build-guest keeps a few kernels only, and those of others shall stay. It
# always lies in the same place, which is part of the commands that ccache remembers.
prepare()
{
	local source
	source=$(scripts/fetch-kernel source-6.12) || return 1
	mkdir -p "$cache" "$so_far" "$LG_CACHE/ccache" || return 1
	ln -sfn -t "$cache" "$source" "$LG_CACHE/ccache" || return 1
	echo '# as tests/guest-series.config has it' >"$so_far/lguest.config"
	: >"$so_far/series"
}

initrd_is_made()
{
	local applet
	mkdir -p "$work/root/bin" && cp "$(command -v busybox)" "$work/root/bin/busybox" || return 1
	for applet in sh nproc reboot poweroff; do ln -s busybox "$work/root/bin/$applet"; done
	# Words of the kernel's command line that it does not know are in the environment.
	cat >"$work/root/init" <<-'END'
		#!/bin/sh
		export PATH=/bin
		echo "the first process runs on $(nproc) CPUs"
		exec "$series_end" -f
	END
	chmod 755 "$work/root/init"
	scripts/mkinitramfs pack "$work/root" "$work/initrd"
}

# brings TEXT: a patch so far adds it.
brings() { grep -q -- "^+.*$1" "$so_far"/*.patch; }

builds()
{
	local image
	image=$(LGUEST_CACHE=$cache GUEST_PATCHES=$so_far scripts/build-guest tests/guest-series.config 2>"$work/log") ||
		{ cat "$work/log"; return 1; }
	cp "$image" "$work/bzImage.$1"
}

boots_on_a_pc()
{
	timeout -k 5 120 qemu-system-x86_64 -nodefaults -no-user-config -display none -nic none -no-reboot \
		-machine pc -accel tcg -cpu max -smp 1 -m 256 -kernel "$work/bzImage.$1" -initrd "$work/initrd" \
		-serial "file:$work/console" -append "console=ttyS0 panic=-1 series_end=reboot" </dev/null
	grep -a 'the first process runs on 1 CPUs' "$work/console" || { tail -n 30 "$work/console"; return 1; }
}

# One machine boots all guests, one after the other.
# shellcheck disable=SC2016  # for the shell in the VM
in_the_host='
cd /src
for kernel in bzImage.*; do
	timeout 60 lguest --cpus=2 --initrd=initrd 128m $kernel panic=-1 series_end=poweroff </dev/null 2>&1 |
		tr -d "\r" | sed "s/^/${kernel#*.}: /"
done'

guests_run()
{
	local add=("--add" "$work/initrd:/src/initrd") number
	for number; do add+=("--add" "$work/bzImage.$number:/src/bzImage.$number"); done
	tests/hostvm --kernel 6.1 --smp 2 --no-guest --timeout 1200 "${add[@]}" -- \
		sh -c "$in_the_host" >"$work/guests" 2>"$work/log" </dev/null || { tail -n 40 "$work/guests" "$work/log"; return 1; }
}

# boots_as_a_guest NUMBER CPUS
boots_as_a_guest()
{
	grep -ax "$1: the first process runs on $2 CPUs" "$work/guests" ||
		{ grep -a "^$1: " "$work/guests" | tail -n 30; return 1; }
}

scripts/deps build guest hostvm test >&2
check prepared prepare
check initrd_is_made initrd_is_made
guests=()
while read -r patch; do
	number=${patch%%-*}
	cp "$series/$patch" "$so_far/" && echo "$patch" >>"$so_far/series"
	! brings 'config LGUEST_GUEST' || echo CONFIG_LGUEST_GUEST=y >"$so_far/lguest.config"
	check "builds_with_$number" builds "$number"
	[ -e "$work/bzImage.$number" ] || continue
	check "boots_on_a_pc_with_$number" boots_on_a_pc "$number"
	cpus=1
	! brings 'SYM_CODE_START(lguest_secondary_entry)' || cpus=2
	! brings 'SYM_CODE_START(lguest_entry)' || guests+=("$number $cpus")
done < <(sed -e 's/#.*//' -e 's/[[:space:]]*$//' -e '/^$/d' "$series/series")
check guests_run guests_run "${guests[@]% *}"
for guest in "${guests[@]}"; do
	# shellcheck disable=SC2086  # two words
	check "boots_as_a_guest_with_${guest% *}" boots_as_a_guest $guest
done
checked
