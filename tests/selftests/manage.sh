#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Guests with names: what lguest list, pause, resume, balloon, stats, stop and kill do to
# one that runs, and what they say when they can't. Time is what the guest itself prints,
# five times a second, each line stamped by the host: while it is paused, its clock must
# stand as still as its output. Fails when a command does nothing, or too much.
# shellcheck source=tests/selftests/check.sh
. ./check.sh
# shellcheck source=tests/selftests/guest.sh
. ./guest.sh
unset XDG_RUNTIME_DIR
run=/run/lguest

# A shell on a guest's console, which stays until it is told otherwise.
make_initrd "$work/shell" 'mount -t devtmpfs none /dev; stty -F /dev/hvc0 -echo' \
	'echo the shell is there; sh </dev/hvc0 >/dev/hvc0 2>&1; poweroff -f; sleep 60'

# The guest's clock is first; then lines: its wall clock and monotonic time, and the
# host's, in ns.
start()
{
	lg-run --log "$work/log" --name=one --cpus=2 --add "$tests/clocks:/bin/clocks" -- \
		sh -c 'cat /sys/devices/system/clocksource/*/current_clocksource; clocks 100000 200' 2>"$work/err" |
	{
		read -r source
		echo "$source" >"$work/source"
		while read -r line; do echo "$line $("$tests/clocks")" >>"$work/lines"; done
	} &
	: >"$work/lines"
	wait_for 100 has_lines 10
}
lines() { wc -l <"$work/lines"; }
has_lines() { [ "$(lines)" -ge "$1" ]; }
more_lines() { wait_for 20 has_lines $(($(lines) + $1)); }

# misses_json: what can't be done is said in JSON, too.
misses_json() { is "$(lguest pause nobody --json 2>&1)" "{\"error\":\"there is no guest 'nobody': 'lguest list' lists yours\"}"; }

# field NAME: of what `lguest list` says of the guest one.
field() { lguest list --json | "$tests/json" "$1"; }
is() { [ "$1" = "$2" ] || { echo "\"$1\", not \"$2\""; return 1; }; }
# refused TEXT COMMAND...: COMMAND ends with 1 and one line that has TEXT; mistyped: with 2.
refused() { refused_with 1 "$@"; }
mistyped() { refused_with 2 "$@"; }
refused_with()
{
	refused_wanted=$1 refused_text=$2
	shift 2
	"$@" >"$work/out" 2>&1
	refused_status=$?
	cat "$work/out"
	[ "$refused_status" = "$refused_wanted" ] && [ "$(wc -l <"$work/out")" = 1 ] && grep -qF -- "$refused_text" "$work/out"
}

listed()
{
	is "$(field 0.name)" one && is "$(field 0.state)" running && is "$(field 0.cpus)" 2 &&
		is "$(field 0.memory)" 67108864 && [ "$(field 0.uptime)" -lt 600 ] && kill -0 "$(field 0.pid)" &&
		lguest list | grep -q '^one  *[0-9]* running  *2  *64M  *[0-9ms]*  '"$kernel\$"
}
ours_alone() { is "$(stat -c %a "$run")" 700 && is "$(stat -c %a "$run/one.sock")" 600; }

stands_still()
{
	lguest pause one && is "$(field 0.state)" paused || return 1
	sleep 1
	before=$(lines)
	sleep 4
	is "$(lines)" "$before"
}
goes_on() { lguest resume one && is "$(field 0.state)" running && more_lines 10; }

# The gap between two lines is 5 s and more for the host, and less than 1 s for the guest,
# in the column of the clock.
gap()
{
	awk -v g="$1" '
		function less(a, b) { return substr(a, 1, length(a) - 9) - substr(b, 1, length(b) - 9) + (substr(a, length(a) - 8) - substr(b, length(b) - 8)) / 1e9 }
		NR > 1 { host = less($(g + 2), h); if (host > most) { most = host; guest = less($g, was) } }
		{ h = $(g + 2); was = $g }
		END { printf "host %.3f s, guest %.3f s\n", most, guest; exit !(most > 5 && guest >= 0 && guest < 1) }
	' "$work/lines"
}
# Over the last lines, guest and host go at the same pace again.
pace()
{
	tail -n 10 "$work/lines" | awk '
		function less(a, b) { return substr(a, 1, length(a) - 9) - substr(b, 1, length(b) - 9) + (substr(a, length(a) - 8) - substr(b, length(b) - 8)) / 1e9 }
		NR == 1 { g = $2; h = $4 }
		END { guest = less($2, g); host = less($4, h); print guest, host; exit !(guest > host / 2 && guest < host * 2) }'
}

stats_are_json()
{
	lguest stats one --json >"$work/stats" || return 1
	is "$("$tests/json" memory.size <"$work/stats")" 67108864 || return 1
	for name in memory.resident vcpus.0.exits vcpus.1.exits vcpus.0.exceptions.#PF vcpus.1.hypercall_nr.halt vcpus.0.shadow_pages; do
		[ "$("$tests/json" "$name" <"$work/stats")" -gt 0 ] || { echo "no $name"; return 1; }
	done
	lguest stats one | grep -q '^vcpus.0.exits  *[1-9][0-9]*$'
}

# Its parent may not have noticed yet.
has_ended() { ! grep '^State:' "/proc/$1/status" 2>/dev/null | grep -v 'Z (zombie)'; }
killed()
{
	pid=$(field 0.pid)
	is "$(lguest kill one --json)" '{}' || return 1
	has_ended "$pid" || { echo "the launcher lives"; return 1; }
	[ ! -e "$run/one.sock" ]
}
# The launcher of the guest "two" dies without a word.
leave_a_socket()
{
	lguest --name=two 64m "$kernel" quiet </dev/null >/dev/null 2>&1 &
	launcher=$!
	wait_for 20 test -e "$run/two.sock" || return 1
	kill -9 "$launcher"
	wait "$launcher" 2>/dev/null
	[ -e "$run/two.sock" ]
}
left_behind()
{
	leave_a_socket && is "$(lguest list --json)" '[]' && [ ! -e "$run/two.sock" ]
}
taken_over()
{
	leave_a_socket && lg-run --name=two -- true && [ ! -e "$run/two.sock" ]
}
default_name()
{
	lguest --initrd="$work/shell" 64m "$kernel" quiet </dev/null >/dev/null 2>&1 &
	launcher=$!
	wait_for 20 sh -c "lguest list | grep -q '^lguest-$launcher '" && lguest kill "lguest-$launcher"
}
# What a guest of nobody's plans is told: it has no port for an agent, others have.
no_port()
{
	lguest --initrd="$work/shell" 64m "$kernel" quiet </dev/null >/dev/null 2>&1 &
	launcher=$!
	wait_for 20 sh -c "lguest list | grep -q '^lguest-$launcher .*running'" || return 1
	refused 'was started without --name' lguest stop "lguest-$launcher"
	status=$?
	lguest kill "lguest-$launcher" && return "$status"
}

# A guest with an agent: a shell on the port that has the name. At its first start it
# restarts. Then it says more than anybody wants to hear; and unless it is deaf, it does
# as it is told, if that is what QEMU's agent understands.
# shellcheck disable=SC2016  # for the guest's shell
make_initrd "$work/agent" 'mount -t devtmpfs none /dev' \
	'for name in /sys/class/virtio-ports/*/name; do' \
	'[ "$(cat "$name")" = org.qemu.guest_agent.0 ] || continue' \
	'port=${name%/name} port=/dev/${port##*/}; done' \
	'[ "$(head -c 3 /dev/vda)" = was ] ||' \
	'{ echo was | dd of=/dev/vda bs=512 conv=sync,fsync 2>/dev/null; reboot -f; sleep 60; }' \
	'exec 3<>"$port"; head -c 4000000 /dev/zero >&3; echo the agent is there' \
	'! grep -q deaf /proc/cmdline || sleep 1000' \
	'read -r line <&3; echo "$line"' \
	"[ \"\$line\" = '{\"execute\":\"guest-shutdown\",\"arguments\":{\"mode\":\"powerdown\"}}' ] || sleep 1000" \
	'poweroff -f; sleep 60'
# with_agent NAME ARGUMENT...: the launcher is process $launcher, its screen is in NAME.
with_agent()
{
	agent=$1
	shift
	truncate -s 1M "$work/vda"
	: >"$work/$agent"	# what another one said is not what we wait for
	lguest --name="$agent" --block="$work/vda" --initrd="$work/agent" 64m "$kernel" quiet "$@" \
		</dev/null >"$work/$agent" 2>&1 &
	launcher=$!
	wait_for 100 said 'the agent is there' "$work/$agent" >/dev/null || cat "$work/$agent"
}
stopped()
{
	with_agent willing
	said_nothing=$(lguest stop willing --timeout=50 2>&1) || { echo "$said_nothing"; cat "$work/willing"; return 1; }
	wait "$launcher" && is "$said_nothing" '' && [ ! -e "$run/willing.sock" ]
}
stopped_by_force()
{
	with_agent deaf deaf
	lguest stop deaf --timeout 2 --json >"$work/json" 2>"$work/out"
	status=$?
	cat "$work/json" "$work/out"
	is "$status" 0 && is "$(cat "$work/out")" "lguest: the guest 'deaf' is still there after 2 s: it is killed" &&
		is "$(cat "$work/json")" '{"killed":true}' && wait "$launcher" && [ ! -e "$run/deaf.sock" ]
}
stopped_with_json()
{
	with_agent willing
	is "$(lguest stop willing --timeout=50 --json)" '{"killed":false}' && wait "$launcher"
}
# Who waits goes on when the guest has ended, and not before.
waited_for()
{
	with_agent willing
	lguest wait willing --timeout=1 >"$work/out" 2>&1
	is "$?" 124 && said "still runs after 1 s" "$work/out" || return 1
	lguest wait willing >"$work/out" 2>&1 &
	waiter=$!
	lguest stop willing && wait "$waiter" && wait "$launcher" && [ ! -s "$work/out" ]
}
# As a service manager ends it: its agent is told.
term_powers_down()
{
	with_agent willing
	kill -TERM "$launcher"
	wait "$launcher"
	is "$?" 0 && said 'guest-shutdown' "$work/willing" && said 'another SIGTERM ends it at once' "$work/willing"
}
second_term_kills()
{
	with_agent deaf deaf
	kill -TERM "$launcher"
	wait_for 10 said 'another SIGTERM ends it at once' "$work/deaf" >/dev/null || return 1
	sleep 1
	kill -0 "$launcher" || { echo "it is gone"; return 1; }
	kill -TERM "$launcher"
	wait "$launcher"
	is "$?" 143
}

not_ours()
{
	mkdir -p "$work/runtime/lguest"
	chmod 755 "$work/runtime/lguest"
	refused 'is not yours alone' env "XDG_RUNTIME_DIR=$work/runtime" lguest list
}
silent()
{
	lguest --name=two --initrd="$work/shell" 64m "$kernel" quiet </dev/null >/dev/null 2>&1 &
	launcher=$!
	wait_for 20 sh -c 'lguest list | grep -q "^two .*running"' || return 1
	freeze "$launcher" || echo "it has not stopped"
	lguest list >"$work/list"
	cat "$work/list"
	grep -q "^two  *$launcher silent" "$work/list"
	status=$?
	kill -CONT "$launcher"
	lguest kill two || return 1
	return "$status"
}

# Started without a terminal.
detached()
{
	is "$(lguest --detach --console="$work/console" --name=shy --initrd="$work/shell" 64m "$kernel" quiet </dev/null)" shy &&
		lguest list | grep -q '^shy .*running'
}
# typed TEXT WANTED: TEXT is typed into shy's console, WANTED comes out of it. A second
# client is refused meanwhile.
typed()
{
	mkfifo "$work/keys"
	lguest console shy <"$work/keys" >"$work/screen" 2>&1 &
	client=$!
	exec 9>"$work/keys"
	wait_for 100 said 'the shell is there' "$work/screen" >/dev/null && echo "$1" >&9 &&
		wait_for 50 said "$2" "$work/screen" >/dev/null && refused 'is in use' lguest console shy
	typed_status=$?
	kill "$client"
	exec 9>&-
	cat "$work/screen"
	return "$typed_status"
}
# Another client finds what was last on the screen; the guest's end is its end.
typed_again()
{
	{ sleep 2; echo exit; } | lguest console shy >"$work/screen" 2>&1
	said "$1" "$work/screen" && said "the guest 'shy' has ended" "$work/screen" &&
		wait_for 20 sh -c '! lguest list | grep -q "^shy "'
}
# All that was printed, from the guest and from its file; and what a guest prints that has
# none.
logged()
{
	lguest log shy >"$work/out" && said 'the shell is there' "$work/out" && said 42 "$work/out" &&
		cmp "$work/out" "$work/console" || return 1
	lguest log shy -f >"$work/followed" 2>&1 &
	follower=$!
}
logged_to_the_end() { wait "$follower" && cmp "$work/followed" "$work/console" && [ "$(stat -c %a "$work/console")" = 600 ]; }
logged_without_a_file() { wait_for 20 sh -c 'lguest log one | grep -q "^[0-9]"' && refused 'start it with --console=FILE' lguest log one -f; }
detached_not_started() { refused "can't open the kernel" lguest --detach --name=not 64m /nonexistent; }

check nobody_is_listed is "$(lguest list --json)" '[]'
check a_guest_with_a_name_starts start
echo "# the guest's clock is $(cat "$work/source")"
check it_is_listed listed
check socket_is_its_users_alone ours_alone
check name_taken_is_refused refused "there is a guest 'one' already, of process" \
	lguest --name=one 64m "$kernel"
check pause_stops_it stands_still
check pause_twice_is_refused refused 'paused already' lguest pause one
check resume_lets_it_go_on goes_on
check resume_twice_is_refused refused 'not paused' lguest resume one
check monotonic_time_stood_still gap 2
check wall_clock_stood_still gap 1
check time_goes_at_its_pace_again pace
check stats_are_json stats_are_json
check what_can_not_be_done_is_json misses_json
check the_last_lines_are_logged logged_without_a_file
check balloon_takes_16m sh -c 'lguest balloon one 16m'
check balloon_has_16m wait_for 30 given 16777216
check balloon_gives_back sh -c 'lguest balloon one 0'
check balloon_has_nothing wait_for 30 given 0
check balloon_of_all_memory_is_refused refused "can't give all" lguest balloon one 64m
check balloon_of_nonsense_is_refused mistyped "not an amount of memory" lguest balloon one x
check balloon_without_size_is_refused mistyped 'how much?' lguest balloon one
check the_guest_still_runs more_lines 5
check console_elsewhere_is_refused refused 'its console is where it was started' lguest console one
check stop_without_an_agent_is_refused refused "no guest agent runs in it: 'lguest kill one' ends it" \
	lguest stop one
check and_nothing_is_lost more_lines 5
check it_pauses_again sh -c 'lguest pause one'
check stop_while_it_is_paused_is_refused refused "'lguest resume one' lets it go on" lguest stop one
check kill_ends_it_even_then killed
check options_come_before_commands_too sh -c "lguest --verbose list && lguest --json list"
check a_guest_unknown_is_refused refused "there is no guest 'one'" lguest pause one
check a_bad_name_is_refused mistyped 'is no name for a guest' lguest --name=../x 64m "$kernel"
check no_name_is_refused mistyped 'which guest?' lguest kill
check an_unknown_option_is_refused mistyped 'is not for lguest pause' lguest pause one --now
check a_timeout_is_for_stop_alone mistyped 'is not for lguest kill' lguest kill one --timeout=1
check no_number_of_seconds_is_refused mistyped 'is not a number of seconds' lguest stop one --timeout=0
check stop_ends_a_guest_that_restarted stopped
check stop_kills_a_guest_that_does_not_end stopped_by_force
check stop_says_in_json_that_it_did_not_kill stopped_with_json
check wait_waits_for_the_end waited_for
check sigterm_powers_down term_powers_down
check a_second_sigterm_kills second_term_kills
check stop_of_a_guest_without_a_port_is_refused no_port
check a_dead_launchers_socket_goes left_behind
check a_dead_launchers_name_is_free taken_over
check without_a_name_it_is_the_process default_name
check a_stopped_launcher_is_listed_as_silent silent
check a_directory_of_others_is_refused not_ours
check a_guest_is_detached detached
# shellcheck disable=SC2016  # for the guest's shell
check its_console_answers typed 'echo 4$((1+1))' 42
check its_console_is_in_a_file logged
check the_next_client_sees_the_last_lines typed_again 42
check the_log_is_followed_to_the_end logged_to_the_end
check console_of_none_is_refused refused "there is no guest 'shy'" lguest console shy
check what_can_not_start_is_told detached_not_started
checked
