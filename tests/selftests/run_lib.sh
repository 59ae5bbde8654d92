# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154
#
# What the tests of "lguest run" share. Needs guest.sh.

export LGUEST_KERNEL="$kernel"
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

# ends_it COMMAND...: what we do while the command runs ends it as its signal.
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
