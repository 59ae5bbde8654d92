# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Reads the Test Anything Protocol. run-selftests frames each test's lines:
#   # selftest NAME
#   ok 1 what it promises            not ok 2 ...           ok 3 ... # SKIP why
#   # ended NAME STATUS              kselftest's: 0 pass, 4 skip, else failure

# tap_close STATUS NAME...: print the lines that end a row's file: what went wrong if the
# machine ended with a STATUS other than 0, and the tests that should have run.
tap_close()
{
	case $1 in
	0) ;;
	124) echo "# machine the host VM ran into its time limit" ;;
	125) echo "# machine the host kernel complained, or the host VM failed" ;;
	*) echo "# machine the host VM ended with status $1" ;;
	esac
	shift
	printf '# expected %s\n' "$@"
}

# tap_report ROW TAP-FILE TIME LOG: print a line for the row, which tap_total adds up, and
# for each failure a line and the command that repeats it.
tap_report()
{
	tr -d '\r' <"$2" | awk -v row="$1" -v time="$3" -v log_file="$4" '
		function failure(what, test) {
			failed++
			lines = lines "  not ok " what "\n"
			lines = lines "    again: tests/run " row (test != "" && row != "unit" ? "/" test : "") "\n"
		}
		function end_of(test, status) {
			ended[test] = 1
			if (status == 4 && !bad && !good)
				skipped++
			else if (status != 0 && !bad)
				failure(test ": ended with status " status, test)
			else if (plan != "" && seen != plan)
				failure(test ": gave " seen " results of " plan, test)
			else if (status == 0 && !seen && plan == "")
				failure(test ": gave no result", test)
		}
		/^# selftest / { test = $3; good = bad = seen = 0; plan = ""; next }
		/^# ended / { end_of($3, $4); test = ""; next }
		/^# machine / { sub(/^# machine /, ""); machine = $0; next }
		/^# expected / { if (!($3 in ended)) { lost[++losses] = $3 } next }
		/^1\.\.0/ { plan = 0; skipped++; next }
		/^1\.\.[0-9]+/ { plan = substr($1, 4); next }
		/^ok .*# *[Ss][Kk][Ii][Pp]/ { skipped++; seen++; good++; next }
		/^ok( |$)/ { passed++; seen++; good++; next }
		/^not ok( |$)/ { seen++; bad++; sub(/^not ok [0-9]* *-? */, ""); failure((test != "" ? test ": " : "") $0, test); next }
		END {
			for (i = 1; i <= losses; i++)
				failure(lost[i] ": did not end: " (machine != "" ? machine : "the machine was lost"), lost[i])
			if (machine != "" && !losses)
				failure(machine, "")
			printf "%s %s: %d passed, %d failed, %d skipped%s\n", failed ? "FAIL" : "ok  ", row,
				passed, failed, skipped, time != "" ? ", " time : ""
			printf "%s", lines
			if (failed)
				printf "    log: %s\n", log_file
		}'
}

# tap_total REPORT...: print the closing line; fail if a test failed or none passed.
tap_total()
{
	awk '
		/^(ok  |FAIL) .*: [0-9]+ passed, / {
			sub(/^.*: /, "")
			passed += $1; failed += $3; skipped += $5
		}
		END {
			printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
			exit failed > 0 || passed == 0
		}' "$@"
}
