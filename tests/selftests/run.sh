#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# "lguest run" is like running the command here: its directory, its three streams, byte
# for byte and apart, its status, signals; and the guest's own ends have statuses of their
# own. Fails on any that differs, and on one word of the kernel's in the output.
# shellcheck disable=SC2016  # what the guest expands
# shellcheck source=tests/lib/check.sh
. ./check.sh
# shellcheck source=tests/selftests/guest.sh
. ./guest.sh
export LGUEST_KERNEL=$kernel
cd "$work" || exit 1

# run OPTION... COMMAND: what it said is in out and err, its status in $status.
run()
{
	status=0
	timeout 300 lguest run --memory=128m "$@" >"$work/out" 2>"$work/err" || status=$?
	echo "status $status, standard output:"; head -c 1000 "$work/out"
	echo "standard error:"; head -c 3000 "$work/err"
}
ended() { [ "$status" = "$1" ]; }

is_here_and_says_no_more()
{
	run -- sh -c 'pwd; echo to stderr >&2; echo "$VARIABLE"; exit 7' </dev/null
	ended 7 && [ "$(cat "$work/out")" = "$(printf '%s\nvalue' "$work")" ] &&
		[ "$(cat "$work/err")" = "to stderr" ]
}

streams_are_exact()
{
	head -c 300000 /dev/urandom >"$work/sent"
	lguest run --memory=128m -- sh -c 'tee /dev/stderr' <"$work/sent" >"$work/out" 2>"$work/err" || return 1
	ls -l "$work/sent" "$work/out" "$work/err"
	cmp "$work/sent" "$work/out" && cmp "$work/sent" "$work/err"
}

pipes_work() { [ "$(echo hi | lguest run --memory=128m -- cat)" = hi ]; }

# As on any pipe: yes dies of SIGPIPE.
reader_that_stops_ends_the_writer()
{
	timeout 300 lguest run --memory=128m -- sh -c 'yes; echo "yes: $?" >&2' </dev/null 2>"$work/err" |
		head -n 1 >"$work/out"
	cat "$work/out" "$work/err"
	[ "$(cat "$work/out")" = y ] && [ "$(cat "$work/err")" = "yes: 141" ]
}

deadly_signal() { run -- sh -c 'kill -TERM $$' </dev/null; ended 143; }

no_such_command() { run -- no-such-command </dev/null; ended 127 && said "can't run 'no-such-command'" "$work/err"; }

# What we do while the command runs ends it as its signal.
ends_it()
{
	timeout 300 lguest run --name=trap --memory=128m -- sh -c '
		trap "echo caught; exit 5" TERM
		echo ready; while :; do sleep 1; done' </dev/null >"$work/out" 2>"$work/err" &
	runner=$!
	wait_for 200 grep -q ready "$work/out" || { cat "$work/err"; return 1; }
	"$@" || return 1
	wait "$runner"
	status=$?
	cat "$work/out" "$work/err"
	ended 5 && grep -q caught "$work/out"
}

signals_are_passed_on() { ends_it sh -c 'kill -TERM "$(pidof lguest)"'; }
stop_is_such_a_signal() { ends_it lguest stop trap; }

time_is_up() { run --timeout=20 -- sleep 1000 </dev/null; ended 124 && said "time is up" "$work/err"; }

panics() { run --append=rdinit=/nowhere -- true </dev/null; ended 255 && said panic "$work/err" && [ ! -s "$work/out" ]; }

goes_down() { run -- poweroff -f </dev/null; ended 255 && said "before the command ended" "$work/err"; }

changes_are_gone()
{
	echo old >"$work/file"
	run -- sh -c 'echo new >file && cat file && mkdir dir && rm /bin/busybox && ls' </dev/null
	ended 0 && [ "$(head -n 1 "$work/out")" = new ] && [ "$(cat "$work/file")" = old ] &&
		[ ! -e "$work/dir" ] && [ -e /bin/busybox ]
}

changes_stay()
{
	run --rw -- sh -c 'echo new >file && mkdir dir' </dev/null
	ended 0 && [ "$(cat "$work/file")" = new ] && [ -d "$work/dir" ]
}

is_root_or_the_user()
{
	grep -q ^nobody /etc/passwd || echo 'nobody:x:65534:65534:nobody:/:/bin/sh' >>/etc/passwd
	chmod 755 "$work"	# the user's directory, too
	run -- id -u </dev/null
	ended 0 && [ "$(cat "$work/out")" = 0 ] || return 1
	SUDO_UID=65534 run --user -- sh -c 'id -u; echo $USER; touch /new' </dev/null
	[ "$(cat "$work/out")" = "$(printf '65534\nnobody')" ] && ended 1
}

options_are_checked()
{
	run --timeout=x -- true </dev/null
	ended 1 && said "'x' is not a number of seconds" "$work/err" || return 1
	run --kernel=/nowhere -- true </dev/null
	ended 1 && said "can't open the kernel '/nowhere'" "$work/err" || return 1
	run --frobnicate -- true </dev/null
	ended 1 && said "unknown option '--frobnicate'" "$work/err" && [ "$(wc -l <"$work/err")" = 1 ]
}

VARIABLE=value
export VARIABLE
check is_here_and_says_no_more is_here_and_says_no_more
check pipes_work pipes_work
check streams_are_exact_and_apart streams_are_exact
check reader_that_stops_ends_the_writer reader_that_stops_ends_the_writer
check deadly_signal_is_its_status deadly_signal
check command_that_is_not_there_is_127 no_such_command
check signals_are_passed_on signals_are_passed_on
check stop_is_such_a_signal stop_is_such_a_signal
check time_that_is_up_is_124 time_is_up
check panic_is_255 panics
check power_off_is_no_end_of_the_command goes_down
check changes_are_gone changes_are_gone
check changes_stay_with_rw changes_stay
check is_root_or_the_user is_root_or_the_user
check options_are_checked options_are_checked
cd /
checked
