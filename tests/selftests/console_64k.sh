#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The console carries 64 KiB of any bytes each way, and not one is lost, changed or
# doubled; and what is typed before the guest has a console is there when it has. Fails
# when a sum differs, or the first line typed is not the first one read.
# shellcheck source=tests/selftests/check.sh
. ./check.sh
# shellcheck source=tests/selftests/guest.sh
. ./guest.sh
size=65536

# The guest says READY once its terminal takes bytes as they are.
through_the_guest()
{
	head -c "$size" /dev/urandom >"$work/sent"
	mkfifo "$work/in"
	lg-run --log "$work/log" -- \
		sh -c "echo READY; head -c $size >/tmp/in; md5sum </tmp/in; cat /tmp/in" \
		<"$work/in" >"$work/out" 2>&1 &
	lg_run=$!
	exec 7>"$work/in"
	wait_for 120 grep -aq READY "$work/out" || { tail -n 20 "$work/out" "$work/log"; return 1; }
	cat "$work/sent" >&7
	wait "$lg_run"
	status=$?
	exec 7>&-
	[ "$status" = 0 ] || { echo "status $status"; tail -n 20 "$work/log"; return 1; }
}

guest_got_all()
{
	sent=$(md5sum <"$work/sent") got=$(sed -n 2p "$work/out")
	echo "sent $sent, the guest got $got"
	[ "$sent" = "$got" ]
}

host_got_all()
{
	tail -c "$size" "$work/out" >"$work/back"
	ls -l "$work/out" "$work/back"
	[ "$(head -n 2 "$work/out" | wc -c)" = $(($(wc -c <"$work/out") - size)) ] &&
		cmp "$work/sent" "$work/back"
}

# It is in the pipe before the launcher starts.
typed_early()
{
	# shellcheck disable=SC2016  # for the guest
	make_initrd "$work/initrd" 'read -r line; echo "heard $line"; sleep 1; poweroff -f; sleep 60'
	echo 'typed early' >"$work/line"
	timeout 100 lguest --initrd="$work/initrd" 64m "$kernel" quiet <"$work/line" >"$work/out" 2>&1
	status=$?
	[ "$status" = 0 ] || echo "status $status"
	said 'heard typed early' "$work/out"
}

check goes_through_the_guest through_the_guest
check guest_got_all guest_got_all
check host_got_all host_got_all
check what_is_typed_early_is_read typed_early
checked
