#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What programs do works in a guest: userland.c, built for 64 and for 32 bits, and
# busybox's own. Fails by the name of what does not.
# shellcheck source=tests/selftests/check.sh
. ./check.sh
# shellcheck source=tests/selftests/guest.sh
. ./guest.sh

# shellcheck disable=SC2016  # for the guest
collect()
{
	lg-run --log "$work/log" --add "$tests/userland64:/bin/userland64" \
		--add "$tests/userland32:/bin/userland32" -- sh -c '
			echo "= 64"; userland64
			echo "= 32"; userland32
			echo "= shell"
			[ "$(seq 2000 | sort -r | sort -n | md5sum)" = "$(seq 2000 | md5sum)" ] && echo "ok 1 pipes_of_programs"
			i=0; while [ $i -lt 100 ]; do i=$((i + 1)); sh -c "exit $((i % 7))"; [ $? = $((i % 7)) ] || break; done
			[ $i = 100 ] && echo "ok 2 a_hundred_programs"
			dd if=/dev/zero of=/tmp/zero bs=1M count=8 2>/dev/null && [ "$(wc -c </tmp/zero)" = 8388608 ] && echo "ok 3 files"
			mkdir /tmp/b && cp /bin/busybox /tmp/b/ && cmp /bin/busybox /tmp/b/busybox && /tmp/b/busybox true && echo "ok 4 copied_program_runs"
			(sleep 1; kill -USR1 $$) & trap "echo ok 5 signal_of_the_shell" USR1; wait; wait
			gzip </bin/busybox | gunzip | cmp - /bin/busybox && echo "ok 6 gzip"
			ping -c 1 127.0.0.1 >/dev/null && echo "ok 7 loopback"
			echo "= end"; exit 5' >"$work/out" 2>"$work/err"
	status=$?
	[ "$status" = 5 ] || { echo "status $status"; tail -n 30 "$work/out" "$work/log" "$work/err"; return 1; }
}

check runs_to_its_end collect
part=
while read -r word rest; do
	case $word in
	=) part=$rest ;;
	ok) check "$part: ${rest#* }" true ;;
	not) check "$part: ${rest#ok * }" false ;;
	esac
done <"$work/out"

# count PART NUMBER: what did not run did not pass.
count()
{
	found=$(awk -v part="$1" '$1 == "=" { on = $2 == part } on && /^ok/ { n++ } END { print n + 0 }' "$work/out")
	echo "$found of $2"
	[ "$found" = "$2" ]
}
check all_of_64_bit_programs count 64 27
check all_of_32_bit_programs count 32 27
check all_of_the_shell count shell 7

# The guest's kernel is told to know no 32-bit programs: INT 0x80 is a fault, too.
without_32_bit()
{
	lg-run --log "$work/log" --append ia32_emulation=off --add "$tests/userland64:/bin/userland64" \
		--add "$tests/userland32:/bin/userland32" -- sh -c '
			userland64 system_calls_by_number; userland64 int_0x80; userland32 && echo runs; true' \
		>"$work/off" 2>"$work/err" || { tail -n 30 "$work/log" "$work/err"; return 1; }
}
check boots_without_32_bit without_32_bit
check _64_bit_programs_run said 'ok 1 system_calls_by_number' "$work/off"
check int_0x80_is_a_fault said '# signal 11' "$work/off"
check _32_bit_programs_do_not_run sh -c "! grep runs $work/off"
checked
