#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The host's files in guests with kernels of a distribution, as they are installed: in each
# kernel of $LG_STOCK (/lg/stock) that has modules for it in /lib/modules, a shared directory is
# a file system like the host's, which is read and written, with a cache and without, and
# "lguest run" runs a command there. It finds such a kernel in /boot, and says which module is
# missing.
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
	'for i in $(seq 60); do echo $i >/two/$i & done; wait; rm /two/1*' \
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
	   [ "$(cat "$work/two/60" "$work/two/30")" != "$(printf '60\n30')" ] || [ -e "$work/two/10" ]; then
		echo "status $status"
		tail -n 40 "$work/out"
		return 1
	fi
	! grep -aE 'BUG:|WARNING:|Call Trace|9p.*rror|Wrong req|misuses' "$work/out"
}

# run_on KERNEL ...: what it said is in out and err, its status in $status.
run_on()
{
	status=0 image=$1
	shift
	timeout 200 lguest run --memory=192m --kernel="$image" "$@" >"$work/out" 2>"$work/err" || status=$?
	echo "status $status, standard error:"
	tail -n 30 "$work/err"
}

# Its streams are exact, each of them, and so is its status.
runs_a_command()
{
	head -c 200000 /dev/urandom >"$work/sent"
	run_on "$1" -- sh -c 'id -u >&2; cat; pwd >&2; exit 7' <"$work/sent"
	[ "$status" = 7 ] && cmp "$work/sent" "$work/out" && [ "$(cat "$work/err")" = "$(printf '0\n%s' "$work")" ]
}

keeps_what_is_to_stay()
{
	rm -rf "$work/kept"
	mkdir "$work/kept"
	run_on "$1" --share="$work/kept" -- sh -c 'echo gone >file; echo stays >kept/file; uname -r' </dev/null
	[ "$status" = 0 ] && [ ! -e "$work/file" ] && [ "$(cat "$work/kept/file")" = stays ] || return 1
	run_on "$1" --rw -- sh -c 'echo stays >file' </dev/null
	[ "$status" = 0 ] && [ "$(cat "$work/file")" = stays ]
}

has_a_terminal()
{
	status=0
	timeout 200 "$tests/terminal" 31x101 lguest run --memory=192m --kernel="$1" -- sh >"$work/out" <<-'EOF' || status=$?
		see #
		type stty size
		see 31 101
		type echo re"ady"; sleep 1000
		see ready
		press C
		type echo "status "$?
		see status 130
		type exit 7
	EOF
	cat "$work/out"
	[ "$status" = 7 ]
}

has_a_network()
{
	mkdir -p "$work/www" && echo 'from the host' >"$work/www/file"
	httpd -p 127.0.0.1:8090 -h "$work/www" || return 1
	run_on "$1" --net=user -- sh -c 'cat /etc/resolv.conf; ip addr; wget -q -O - http://10.0.2.2:8090/file' </dev/null
	[ "$status" = 0 ] && said 'nameserver 10.0.2.3' "$work/out" && said 10.0.2.15 "$work/out" &&
		said 'from the host' "$work/out"
}

# Without --kernel: the one in /boot that has the modules; with -v it says so.
finds_a_kernel()
{
	from=$(modules_of "$1")
	kernel=/boot/vmlinuz-${from##*/}
	mkdir -p /boot
	cp "$1" "$kernel"
	: >/boot/vmlinuz-99.0-without-modules
	timeout 200 lguest run -v --memory=192m -- uname -r >"$work/out" 2>"$work/err" </dev/null
	status=$?
	rm /boot/vmlinuz-*
	tail -n 5 "$work/err"
	[ "$status" = 0 ] && [ "$(cat "$work/out")" = "${from##*/}" ] && said "the kernel is $kernel" "$work/err"
}

names_the_module()
{
	from=$(modules_of "$1")
	cp "$from/modules.dep" "$work/modules.dep"
	sed -i '/9pnet_xen.ko[^:]*:/d' "$from/modules.dep"
	run_on "$1" -- true </dev/null
	cp "$work/modules.dep" "$from/modules.dep"
	[ "$status" = 125 ] && said "has no module '9pnet_xen'" "$work/err" && [ "$(wc -l <"$work/err")" = 1 ]
}

cd "$work" || exit 1
some=
for image in $(find "$stock" -type f | sort); do
	[ -d "$(modules_of "$image")" ] || continue
	some=$image
	check "has_shares_$(basename "$image")" has_shares "$image"
	check "runs_a_command_$(basename "$image")" runs_a_command "$image"
done
[ -n "$some" ] || missing "no kernel in $stock has modules in /lib/modules"
check keeps_what_is_to_stay keeps_what_is_to_stay "$some"
check has_a_terminal has_a_terminal "$some"
check has_a_network has_a_network "$some"
check finds_a_kernel finds_a_kernel "$some"
check names_the_module_that_is_missing names_the_module "$some"
check leaves_nothing_behind wait_for 5 refcnt_is 0
checked
