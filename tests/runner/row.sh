# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# Part of tests/run: run one row, or the unit tests, and say how it went.

# unit_tests: each program of tests/unit, its results by libcheck's TAP log.
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
		# libcheck numbers its lines for each suite anew; names are enough.
		sed 's/^\(ok\|not ok\) [0-9]* - /\1 - /' "$out/unit.tap" 2>/dev/null || true
		rm -f "$out/unit.tap"
		echo "# ended $name $status"
	done
}

# run_unit: the unit tests as a row. They mostly wait, and so take no place of a machine's.
run_unit()
{
	local started=$SECONDS
	unit_tests >"$out/unit.tap.all"
	tap_report unit "$out/unit.tap.all" "$((SECONDS - started)) s" "$out/unit.log" >"$out/unit.report"
	cat "$out/unit.report"
}

# run_machine NAME COMMAND...: what run_row() has made up.
run_machine()
{
	LG_NO_BUILD=1 "${@:2}" </dev/null >"$out/$1.tap" 2>"$out/$1.log"
}

# run_row NAME OPTIONS TESTS: one row, its TAP in NAME.tap, all it said in NAME.log.
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

# start_row NAME|OPTIONS|TESTS: in the background, when there is a place for it.
start_row()
{
	local name options names
	wait_for_place
	IFS='|' read -r name options names <<<"$1"
	run_row "$name" "$options" "$names" &
}
