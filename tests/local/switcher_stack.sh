#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Wherever an NMI or a machine check may come in the switcher, nothing is written to a
# stack that is the guest's choice, or that the loaded page tables lack: each instruction
# with such a %rsp is in a range that the stubs know, and cannot fault. switcher_stack.py
# finds them by control flow, in the code as it was assembled, also in the build that
# nmi_everywhere tests. And where the CPU's buffers are cleared for a guest, nothing comes
# behind that could fill them again.
set -u
cd "$(dirname -- "$0")/../.." || exit 1
. tests/selftests/check.sh
. scripts/lib.sh

object() { echo "$(dirname "$1")/src/switcher/switcher.o"; }

verw_is_followed_by_iret()
{
	objdump -d -j .lg_switcher --no-show-raw-insn -D "$1" | grep -A 1 -w verw | tee /dev/stderr |
		awk '/verw/ { verw++ } /iretq/ { iret++ } END { exit !(verw > 0 && verw == iret) }'
}

# The kernel lets no kprobe into that section.
no_kprobe_before_the_nmi()
{
	objdump -t "$1" | tee /dev/stderr | grep -q ' \.noinstr\.text.* lg_call_switcher$'
}

scripts/deps test >&2
module=$(scripts/build-module 6.1-cloud) || exit 1
paused=$(AFLAGS=-DLG_TEST_PAUSES=3000 MODULE_OUT="$LG_BUILD/lg-pauses" scripts/build-module 6.1-cloud) || exit 1
check every_unsafe_stack_is_in_a_range python3 tests/local/switcher_stack.py "$(object "$module")"
check and_in_the_build_with_pauses python3 tests/local/switcher_stack.py "$(object "$paused")"
check no_kprobe_before_the_nmi no_kprobe_before_the_nmi "$module"
check buffers_are_cleared_last verw_is_followed_by_iret "$(object "$module")"
checked
