#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The unit tests once more, with ThreadSanitizer in the launcher and in them: no two threads
# use the same memory at once other than by atomic operations, none takes two locks in both
# orders, and none is left behind. The first race ends its process, which fails a test even
# where nobody reads what the process says.
set -u
cd "$(dirname -- "$0")/../.." || exit 1
. tests/selftests/check.sh
. scripts/lib.sh

out=$LG_BUILD/unit-tsan
export TSAN_OPTIONS=halt_on_error=1
# What a libcheck test may take: each access costs some ten times as much.
export CK_DEFAULT_TIMEOUT=60
# Addresses that are spread further than ThreadSanitizer knows must not be.
unspread=()
[ "$(cat /proc/sys/vm/mmap_rnd_bits)" -le 28 ] || unspread=(setarch -R)

# GCC warns of fences, which ThreadSanitizer does not know: it may see too many races for that,
# never too few.
build() { make -s -j2 -C tests/unit "OUTPUT=$out" SANITIZE='-fsanitize=thread -Wno-tsan'; }

# has_no_race PROGRAM...: it succeeds, and nothing is told of it or of a process of its own.
has_no_race()
{
	local log=$out/${1##*/}.log status=0
	"${unspread[@]}" "$out/hostile" "$@" >"$log" 2>&1 || status=$?
	if [ "$status" = 0 ] && ! grep -q 'ThreadSanitizer' "$log"; then
		return 0
	fi
	grep -A 30 'WARNING: ThreadSanitizer\|FATAL: ThreadSanitizer' "$log" | head -n 31
	sed -n '/^[0-9]*%: /,$p' "$log" | head -n 6
	echo "exit status $status; all of it: $log"
	echo "again: make -C tests/unit OUTPUT=$out SANITIZE='-fsanitize=thread -Wno-tsan' && $*"
	return 1
}

# The check itself: it must see a race where there is one.
a_race_is_seen()
{
	cat >"$out/race.c" <<-'END'
		#include <pthread.h>
		static int number;
		static void *add(void *argument) { number++; return argument; }
		int main(void)
		{
			pthread_t other;
			pthread_create(&other, NULL, add, NULL);
			number++;
			return pthread_join(other, NULL);
		}
	END
	gcc -fsanitize=thread -g -o "$out/race" "$out/race.c" && ! has_no_race "$out/race" >"$out/seen" &&
		grep 'data race' "$out/seen"
}

scripts/deps build test >&2
check unit_tests_are_built build
check a_race_is_seen a_race_is_seen
for file in tests/unit/test-*.c; do
	name=${file##*/}
	check "${name%.c}" has_no_race "$out/${name%.c}"
done
checked
