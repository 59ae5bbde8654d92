#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The parts of lg.ko that are rules alone do what the manuals say, in each case there is:
# the programs of tests/pure, which have them without a kernel. And the switcher, as it was
# assembled, has the masks of RFLAGS that the tests of C go by.
set -u
cd "$(dirname -- "$0")/../.." || exit 1
. tests/selftests/check.sh

programs=build/pure

# masks OBJECT: the constants that stand beside RFLAGS: in %r11, and in frames on the stack.
masks()
{
	objdump -D -j .lg_switcher --no-show-raw-insn "$1" | awk '
		/\t(test|mov|or) +\$0x[0-9a-f]+,%r11d?$/ || /\ttestl +\$0x[0-9a-f]+,\(%rsp\)$/ ||
		/\tandq +\$0x[0-9a-f]+,0x30\(%rsp\)$/ { sub(/^[^\t]*\t/, ""); print $1, $2 }' |
		sed -E 's/[$]0x(f{8})?//; s/(.*),(.*)/\1 \2/' | sort
}

# By SDM volume 1, figure 3-8: CF to ZF, SF, IF, DF, OF, RF, AC and ID with bit 1 are
# 0x250ed7, TF, NT, RF and AC 0x54100, IF with bit 1 0x202.
switcher_goes_by_the_same_flags()
{
	local object
	object=$(dirname "$(scripts/build-module 6.12-cloud)")/src/switcher/switcher.o
	diff <(masks "$object") - <<-END
	andq fffabeff 0x30(%rsp)
	mov 202 %r11d
	or 202 %r11d
	test ffdaf128 %r11
	testl ffdaf128 (%rsp)
	END
}

scripts/deps test >&2
make -s -C tests/pure >&2 || exit 1
for program in entry selectors flags trap decode; do
	check "rules_of_$program" "$programs/test-$program"
done
check switcher_goes_by_the_same_flags switcher_goes_by_the_same_flags
checked
