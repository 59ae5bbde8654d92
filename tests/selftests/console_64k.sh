#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The console carries 64 KiB of any bytes each way, and not one is lost, changed or
# doubled. Fails when a sum differs.
# shellcheck source=tests/lib/check.sh
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

check goes_through_the_guest through_the_guest
check guest_got_all guest_got_all
check host_got_all host_got_all
checked
