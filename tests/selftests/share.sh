#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A shared directory is, to a guest, a file system like the host's: mixed operations (as
# many as share_operations= on the kernel's command line says; 400) come to the same, each
# of them and what is left at the end. It is read-only where that was asked for, nothing
# leads out of it, and its driver can go and come back, once for 20 operations. Fails on
# any difference to the same operations on the host.
# shellcheck disable=SC2016  # what the guest expands
# shellcheck source=tests/selftests/check.sh
. ./check.sh
# shellcheck source=tests/selftests/guest.sh
. ./guest.sh
operations=$(sed -n 's/.*share_operations=\([0-9]*\).*/\1/p' /proc/cmdline)
operations=${operations:-400}
cached=$((operations / 4)) rounds=$((operations / 20))
options=trans=virtio,version=9p2000.L,msize=512000

# in_guest OPTION... -- COMMAND: a shell command in a guest with these options.
in_guest() { lg-run --log "$work/log" "$@" || { echo "status $?"; tail -n 20 "$work/log"; return 1; }; }

# mounts TAG DIRECTORY [OPTIONS]: the command that mounts it.
mounts() { echo "mkdir -p $2; mount -t 9p -o $options$3 $1 $2 || exit 9;"; }

same() { cmp "$1" "$2" || { diff "$1" "$2" | head -n 20; return 1; }; }

# The operations in directories of the host, and in shares with a cache and without.
do_operations()
{
	mkdir "$work/host1" "$work/guest1" "$work/host2" "$work/guest2"
	./file_ops "$work/host1" "$operations" 1 >"$work/host1.log" || return 1
	./file_ops "$work/host2" "$cached" 2 >"$work/host2.log" || return 1
	in_guest --share="$work/guest1:one" --share="$work/guest2:two" --add "$tests/file_ops:bin/file_ops" \
		-- sh -c "$(mounts one /one) $(mounts two /two ,cache=mmap)
			file_ops /one $operations 1; echo END; file_ops /two $cached 2" >"$work/both.log" || return 1
	sed '/^END/,$d' "$work/both.log" >"$work/guest1.log"
	sed '1,/^END/d' "$work/both.log" >"$work/guest2.log"
}

# agree NUMBER OPERATIONS: each of them came to the same.
agree()
{
	[ "$(wc -l <"$work/host$1.log")" -gt "$2" ] || { echo "too few operations"; return 1; }
	same "$work/host$1.log" "$work/guest$1.log"
}

# sees NUMBER: what the host sees now is what it would have made itself.
sees()
{
	./file_ops "$work/host$1" 0 1 >"$work/host.tree"
	./file_ops "$work/guest$1" 0 1 >"$work/guest.tree"
	[ "$(wc -l <"$work/host.tree")" -gt 10 ] || { echo "nothing is left"; return 1; }
	same "$work/host.tree" "$work/guest.tree"
}

# One guest does what follows; each part of what it says has a line with its name before.
use_shares()
{
	mkdir -p "$work/shared/folder" "$work/fixed"
	echo text >"$work/shared/file"
	echo text >"$work/fixed/file"
	cp /bin/busybox "$work/shared/folder/busybox"
	ln -s /only-in-the-host "$work/shared/out"
	ln -s .. "$work/shared/up"
	echo secret >"$work/outside"
	echo secret >/only-in-the-host
	chown 1234:5678 "$work/shared/file"
	in_guest --share="$work/shared" --share="$work/fixed:fixed,ro" -- \
		sh -c "$(mounts share0 /mnt) $(mounts fixed /fixed)
			exec 2>/dev/null"'
			echo "= program"; /mnt/folder/busybox echo it runs
			echo "= owner"; stat -c "%u:%g %a" /mnt/file
			touch /mnt/new; chown 99:88 /mnt/new; chmod 751 /mnt/new
			echo "= links"; cat /mnt/out; cat /mnt/up/outside; cat /mnt/../outside
			echo mine >/only-in-the-host; cat /mnt/out
			echo "= fixed"; cat /fixed/file
			for command in "touch /fixed/new" "rm /fixed/file" "mkdir /fixed/d" "chmod 777 /fixed/file" \
					"mv /fixed/file /fixed/x" "ln /fixed/file /fixed/x" \
					"touch -d 2001-01-01 /fixed/file"; do
				$command && echo "done: $command"
			done
			echo x >/fixed/file
			echo x >>/fixed/file
			echo "= again"; umount /mnt; umount /fixed	# a channel in use is waited for
			cd /sys/bus/virtio/drivers/9pnet_virtio || exit 1
			devices=$(ls -d virtio*)
			i=0
			while [ $i -lt '"$rounds"' ]; do
				for device in $devices; do [ -e $device ] && echo $device >unbind; done
				for device in $devices; do [ -e $device ] || echo $device >bind; done
				mount -t 9p -o '"$options"' share0 /mnt || exit 4
				[ "$(cat /mnt/file)" = text ] || exit 5
				umount /mnt
				i=$((i + 1))
			done
			echo $i' >"$work/parts"
}

# part NAME LINES: the guest said just that.
part()
{
	sed -n "/^= $1\$/,/^= /{/^= /!p}" "$work/parts" >"$work/part"
	cat "$work/part"
	[ "$(cat "$work/part")" = "$2" ]
}

nothing_leads_out() { part links mine && [ "$(cat /only-in-the-host)" = secret ]; }

read_only()
{
	ls -l "$work/fixed"
	part fixed text && [ "$(ls "$work/fixed")" = file ] && [ "$(cat "$work/fixed/file")" = text ]
}

owners() { part owner '1234:5678 644' && [ "$(stat -c '%u:%g %a' "$work/shared/new")" = "99:88 751" ]; }

# Nobody but root must be asked for anything.
a_user_can_share()
{
	grep -q ^nobody /etc/passwd || echo 'nobody:x:65534:65534:nobody:/:/bin/sh' >>/etc/passwd
	chmod 755 "$work"
	chmod 1777 /tmp
	mode=$(stat -c %a /dev/lguest)
	chmod 666 /dev/lguest
	chown -R nobody "$work/shared"
	mkdir -m 777 "$work/user"
	cat >"$work/user.sh" <<-EOF
		cd $work/user
		lg-run --log $work/user/log --share=$work/shared:it -- sh -c "mkdir -p /mnt
			mount -t 9p -o $options it /mnt && echo new >/mnt/new && cat /mnt/file" >$work/user/out
	EOF
	su -s /bin/sh nobody -c "PATH=$PATH sh $work/user.sh" || { cat "$work"/user/*; return 1; }
	chmod "$mode" /dev/lguest
	[ "$(cat "$work/user/out")" = text ] && [ "$(stat -c %u "$work/shared/new")" = 65534 ]
}

check operations_are_done do_operations
check they_agree_without_a_cache agree 1 "$operations"
check the_host_sees_what_they_left sees 1
check they_agree_with_a_cache agree 2 "$cached"
check the_host_sees_what_those_left sees 2
check shares_are_used use_shares
check programs_run_from_it part program 'it runs'
check owners_are_as_they_are owners
check nothing_leads_out_of_it nothing_leads_out
check read_only_is_read_only read_only
check its_driver_comes_back_again_and_again part again "$rounds"
check a_user_can_share_their_own a_user_can_share
rm -f /only-in-the-host
checked
