#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# "lguest run" is like running the command here, as root: its directory, its three streams,
# byte for byte and apart, its status, signals; and the guest's own ends have statuses of
# their own. Fails on any that differs, and on one word of the kernel's in the output.
# shellcheck disable=SC2016  # what the guest expands
# shellcheck source=tests/selftests/check.sh
. ./check.sh
# shellcheck source=tests/selftests/guest.sh
. ./guest.sh
# shellcheck source=tests/selftests/run_lib.sh
. ./run_lib.sh

is_here_and_says_no_more()
{
	run -- sh -c 'pwd; echo to stderr >&2; echo "$VARIABLE"; id -u; exit 7' </dev/null
	ended 7 && [ "$(cat "$work/out")" = "$(printf '%s\nvalue\n0' "$work")" ] &&
		[ "$(cat "$work/err")" = "to stderr" ]
}

streams_are_exact()
{
	head -c 300000 /dev/urandom | tee "$work/sent" |
		lguest run --memory=128m -- sh -c 'tee /dev/stderr' >"$work/out" 2>"$work/err" || return 1
	ls -l "$work/sent" "$work/out" "$work/err"
	cmp "$work/sent" "$work/out" && cmp "$work/sent" "$work/err"
}

# As on any pipe: yes dies of SIGPIPE.
reader_that_stops_ends_the_writer()
{
	timeout 300 lguest run --memory=128m -- sh -c 'yes; echo "yes: $?" >&2' </dev/null 2>"$work/err" |
		head -n 1 >"$work/out"
	cat "$work/out" "$work/err"
	[ "$(cat "$work/out")" = y ] && [ "$(cat "$work/err")" = "yes: 141" ]
}

# What the command leaves running may write for ever: its end is the end.
others_go_on_writing()
{
	run -- sh -c 'yes & sleep 1' </dev/null >/dev/null
	ended 0 && [ "$(head -n 1 "$work/out")" = y ] || return 1
	timeout 300 lguest run --memory=128m -- sh -c 'yes & sleep 1' </dev/null 2>"$work/err" | head -n 1
	[ ! -s "$work/err" ]
}

deadly_signal() { run -- sh -c 'kill -TERM $$' </dev/null; ended 143; }

no_such_command() { run -- no-such-command </dev/null; ended 127 && said "can't run 'no-such-command'" "$work/err"; }

# The command's, whatever it does with them.
signals_are_passed_on() { ends_it sh -c 'kill -TERM "$(pidof lguest | sed "s/.* //")"'; }

time_is_up() { run --timeout=10 -- sleep 1000 </dev/null; ended 124 && said "time is up" "$work/err"; }

panics() { run --append=rdinit=/nowhere -- true </dev/null; ended 255 && said panic "$work/err" && [ ! -s "$work/out" ]; }

# "git bisect run" stops at 255, and takes 1 to 124 for bad.
panics_with_another_status()
{
	run --panic-status=3 --append=rdinit=/nowhere -- true </dev/null
	ended 3 && said panic "$work/err"
}

# The kernel's messages are none of the command's output.
is_verbose()
{
	run -v -- echo out </dev/null
	ended 0 && [ "$(cat "$work/out")" = out ] && said 'Linux version' "$work/err"
}

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

# The kernel asks for its address; names are asked of the network's own resolver, and the
# host's file is what it was, even if the command may write to it.
has_a_network()
{
	mkdir -p www && echo from the host >www/file
	echo 'nameserver 192.0.2.1' >/etc/resolv.conf
	httpd -p 127.0.0.1:8090 -h www || return 1
	for option in --report-free --rw; do
		run --net=user "$option" -- sh -c '
			cat /etc/resolv.conf; ip addr; wget -q -O - http://10.0.2.2:8090/file' </dev/null
		ended 0 && said 'nameserver 10.0.2.3' "$work/out" && said 10.0.2.15 "$work/out" &&
			said 'from the host' "$work/out" && ! grep 192.0.2.1 "$work/out" &&
			[ "$(cat /etc/resolv.conf)" = 'nameserver 192.0.2.1' ] || return 1
	done
	rm /etc/resolv.conf
	ln -s ../run/nowhere/resolv.conf /etc/resolv.conf
	run --net=user --rw -- cat /etc/resolv.conf </dev/null
	ended 0 && said 'nameserver 10.0.2.3' "$work/out" && [ ! -e /run/nowhere ]
}

# A shared directory is where it is here, and what is written there stays; ro: it can't be.
has_shares()
{
	mkdir -p shared/deep kept
	echo old >kept/file
	run --share=shared --share="$work/kept:a-tag,ro" -- sh -c '
		echo new >shared/deep/file; echo gone >file2
		echo new 2>/dev/null >kept/file; cat kept/file; grep -c "9p" /proc/mounts' </dev/null
	ended 0 && [ "$(cat shared/deep/file)" = new ] && [ ! -e file2 ] && [ "$(cat kept/file)" = old ] &&
		[ "$(head -n 1 "$work/out")" = old ] || return 1
	run --share=/nowhere -- true </dev/null
	ended 125 && said "can't share '/nowhere'" "$work/err"
}

options_are_checked()
{
	run --timeout=x -- true </dev/null
	ended 2 && said "'x' is not a number of seconds" "$work/err" || return 1
	run --kernel=/nowhere -- true </dev/null
	ended 125 && said "can't open the kernel '/nowhere'" "$work/err" || return 1
	for option in --version --check --detach --initrd=x; do
		run "$option" -- true </dev/null
		ended 2 && said "does not go with 'lguest run'" "$work/err" || return 1
	done
	run -x true </dev/null
	ended 2 && said "unknown option '-x'" "$work/err" || return 1
	run --frobnicate -- true </dev/null
	ended 2 && said "unknown option '--frobnicate'" "$work/err" && [ "$(wc -l <"$work/err")" = 1 ]
}

VARIABLE=value
export VARIABLE
check is_here_and_says_no_more is_here_and_says_no_more
check streams_are_exact_and_apart streams_are_exact
check reader_that_stops_ends_the_writer reader_that_stops_ends_the_writer
check others_may_go_on_writing others_go_on_writing
check deadly_signal_is_its_status deadly_signal
check command_that_is_not_there_is_127 no_such_command
check signals_are_passed_on signals_are_passed_on
check time_that_is_up_is_124 time_is_up
check panic_is_255 panics
check panic_has_the_status_that_is_wanted panics_with_another_status
check verbose_has_a_letter is_verbose
check changes_are_gone changes_are_gone
check changes_stay_with_rw changes_stay
check network_has_an_address_and_a_resolver has_a_network
check shares_are_where_they_are_here has_shares
check options_are_checked options_are_checked
cd /
checked
