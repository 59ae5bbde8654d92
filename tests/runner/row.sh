# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# Part of tests/run: runs one row, or the unit tests, and reports the result.

# unit_tests: run each program of tests/unit, and print its results from libcheck's TAP log.
unit_tests()
{
	local source program name status
	make -s -C "$tests/unit" "OUTPUT=$LG_BUILD/unit" >"$out/unit.log" 2>&1 ||
		{ cat "$out/unit.log"; echo "# selftest unit"; echo "# ended unit 1"; return; }
	for source in "$tests"/unit/test-*.c; do
		name=$(basename "$source" .c) program=$LG_BUILD/unit/$name name=unit/$name
		echo "# selftest $name"
		status=0
		CK_DEFAULT_TIMEOUT=60 CK_TAP_LOG_FILE_NAME="$out/unit.tap" "$LG_BUILD/unit/hostile" "$program" >>"$out/unit.log" 2>&1 || status=$?
		# libcheck starts to count anew for each suite: drop the numbers, keep the names.
		sed 's/^\(ok\|not ok\) [0-9]* - /\1 - /' "$out/unit.tap" 2>/dev/null || true
		rm -f "$out/unit.tap"
		echo "# ended $name $status"
	done
}

# run_unit: run the unit tests as a row. They mostly wait, so they do not count as a job.
run_unit()
{
	local started=$SECONDS
	unit_tests >"$out/unit.tap.all"
	tap_report unit "$out/unit.tap.all" "$((SECONDS - started)) s" "$out/unit.log" >"$out/unit.report"
	cat "$out/unit.report"
}

# run_machine NAME COMMAND...: run COMMAND with its output in NAME.tap and NAME.log.
run_machine()
{
	LG_NO_BUILD=1 "${@:2}" </dev/null >"$out/$1.tap" 2>"$out/$1.log"
}

# run_row NAME OPTIONS TESTS: run one row; its TAP goes to NAME.tap, the rest to NAME.log.
run_row()
{
	local name=$1 status=0 started=$SECONDS
	local -a options names machine
	read -ra options <<<"$2"
	read -ra names <<<"$3"
	if [ "${options[0]:-}" = local ]; then
		for test in "${names[@]}"; do
			echo "# selftest $test"
			LG_NO_BUILD=$no_build "$tests/local/$test.sh" </dev/null 2>>"$out/$name.log" && status=0 || status=$?
			echo "# ended $test $status"
		done >"$out/$name.tap"
		status=0
	else
		machine=("$tests/hostvm" --timeout 900 --add "$LG_BUILD/selftests:/lg/selftests"
			"${options[@]}" -- /lg/selftests/run-selftests "${names[@]}")
		run_machine "$name" "${machine[@]}" || status=$?
		if [ "$status" = 125 ] && grep -qF -e "$nothing_of_ours" -e "$emulators_own" "$out/$name.log"; then
			status=0
			run_machine "$name" "${machine[@]}" || status=$?
		fi
	fi
	tap_close "$status" "${names[@]}" >>"$out/$name.tap"
	tap_report "$name" "$out/$name.tap" "$((SECONDS - started)) s" "$out/$name.log" >"$out/$name.report"
	cat "$out/$name.report"
	[ -z "${inputs["$name|$2|$3"]:-}" ] ||
		note_result "$name" "${inputs["$name|$2|$3"]}" "$((SECONDS - started))" "$(grep "^ok  " "$out/$name.report")"
}

wait_for_place() { while [ "$(jobs -rp | grep -cvx "${unit:-none}")" -ge "$jobs" ]; do wait -n || true; done; }

# start_row NAME|OPTIONS|TESTS: wait for a free place, and run the row in the background.
start_row()
{
	local name options names
	wait_for_place
	IFS='|' read -r name options names <<<"$1"
	run_row "$name" "$options" "$names" &
}
