#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The host's files in guests with kernels of a distribution, as they are installed: in each
# kernel of $LG_STOCK (/lg/stock) that has modules for it in /lib/modules, a shared directory is
# a file system like the host's, which is read and written, with a cache and without.
# shellcheck disable=SC2016  # for the guest
# shellcheck source=tests/selftests/check.sh
. ./check.sh
# shellcheck source=tests/selftests/guest.sh
. ./guest.sh
stock=${LG_STOCK:-/lg/stock}
[ -n "$(ls "$stock" 2>/dev/null)" ] || missing "no kernels of a distribution in $stock"

# modules_of KERNEL: where they are; 6.12-full has those in 6.12.*.
modules_of()
{
	name=$(basename "$1")
	echo "/lib/modules/${name%%-*}".*
}

# with_modules KERNEL INITRD: $work/initrd is that initrd, and has in /ko what 9p needs, to be
# loaded in their order.
with_modules()
{
	from=$(modules_of "$1") number=10
	rm -rf "$work/ko"
	mkdir -p "$work/ko/ko"
	for module in 9p 9pnet_xen overlay; do
		sed -n "s,^\([^ ]*/$module\.ko[^:]*\):,\1,p" "$from/modules.dep" | tr ' ' '\n' | grep . | tac
	done | while read -r file; do
		number=$((number + 1))
		case $file in
		*.xz) xz -dc "$from/$file" ;;
		*) cat "$from/$file" ;;
		esac >"$work/ko/ko/$number.ko"
	done
	{ cat "$2"; (cd "$work/ko" && find . | cpio -o -H newc 2>/dev/null); } >"$work/initrd"
}

make_initrd "$work/mounts" 'for module in /ko/*; do insmod $module 2>/dev/null; done' \
	'mkdir /one /two' \
	'mount -t 9p -o trans=xen,version=9p2000.L,msize=512000 share0 /one || exit' \
	'mount -t 9p -o trans=xen,version=9p2000.L,cache=mmap second /two || exit' \
	'echo "reads $(md5sum </one/file)"; cp /one/file /one/copy; cp /one/file /two/copy' \
	'for i in $(seq 200); do echo $i >/two/$i & done; wait; rm /two/1*' \
	'umount /one; mount -t 9p -o trans=xen share0 /one && echo "again $(md5sum </one/copy)"' \
	'dmesg | grep -E "BUG:|WARNING:|Call Trace|9p.*rror|Wrong req"; exec poweroff -f'

has_shares()
{
	with_modules "$1" "$work/mounts"
	rm -rf "$work/one" "$work/two"
	mkdir "$work/one" "$work/two"
	head -c 3000000 /dev/urandom >"$work/one/file"
	sum=$(md5sum <"$work/one/file")
	timeout 200 lguest --share="$work/one" --share="$work/two:second" --initrd="$work/initrd" \
		256m "$1" quiet >"$work/out" 2>&1 </dev/null
	status=$?
	if [ "$status" != 0 ] || ! grep -aF "reads $sum" "$work/out" || ! grep -aF "again $sum" "$work/out" ||
	   ! cmp "$work/one/file" "$work/one/copy" || ! cmp "$work/one/file" "$work/two/copy" ||
	   [ "$(cat "$work/two/200" "$work/two/30")" != "$(printf '200\n30')" ] || [ -e "$work/two/10" ]; then
		echo "status $status"
		tail -n 40 "$work/out"
		return 1
	fi
	! grep -aE 'BUG:|WARNING:|Call Trace|9p.*rror|Wrong req|misuses' "$work/out"
}

for image in $(find "$stock" -type f | sort); do
	[ -d "$(modules_of "$image")" ] || continue
	check "has_shares_$(basename "$image")" has_shares "$image"
done
check leaves_nothing_behind wait_for 5 refcnt_is 0
checked
