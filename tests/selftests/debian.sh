# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154
#
# What the tests of a Debian under systemd share: its console, which is read in the file
# $console, and typed at by descriptor 8; and its end.

console=$work/console
mkfifo "$work/in"

# start_guest WORDS...: lguest, with these words.
start_guest()
{
	rm -f "$work/status"
	: >"$console"
	{
		lguest "$@" <"$work/in" >"$console" 2>&1
		echo $? >"$work/status"
	} &
	exec 8>"$work/in"
}

# seen TIMES TEXT: so many lines of the console have TEXT, or the guest is gone.
seen() { [ "$(grep -acF -- "$2" "$console")" -ge "$1" ] || [ -e "$work/status" ]; }

# console_says SECONDS TIMES TEXT
console_says()
{
	wait_for "$1" seen "$2" "$3" && [ ! -e "$work/status" ] && return
	tail -n 30 "$console"
	return 1
}

# ends COMMAND...: what powers off; then lguest ends with 0.
ends()
{
	"$@"
	wait_for 600 test -e "$work/status"
	exec 8>&-
	tail -n 30 "$console"
	[ "$(cat "$work/status")" = 0 ]
}
poweroff_on_the_console() { echo poweroff >&8; }
