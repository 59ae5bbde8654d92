#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What a guest, a file or another program gives the launcher does no harm: each fuzzer of
# tests/fuzz tries as many inputs as take some seconds, the same each time, beginning from the
# corpus in the tree. fuzz-long.sh has more time. An input that ends one is kept, and the
# command that tries it again is told.
set -u
cd "$(dirname -- "$0")/../.." || exit 1
. tests/selftests/check.sh

scripts/deps build test >&2
check fuzzers_are_built make -s -j2 -C tests/fuzz
for file in tests/fuzz/fuzz-*.c; do
	name=${file##*/fuzz-}
	# shellcheck disable=SC2086  # an option, or nothing
	check "${name%.c}" tests/fuzz/run ${FUZZ_SECONDS:+--seconds $FUZZ_SECONDS} "${name%.c}"
done
checked
