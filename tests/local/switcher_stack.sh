#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Wherever an NMI or a machine check may come in the Switcher, nothing is written to a
# stack that is the Guest's choice, or that the loaded page tables lack: each instruction
# with such a %rsp is in a range that the stubs know, and cannot fault. switcher_stack.py
# finds them by control flow, in the code as it was assembled, also in the build that
# nmi_everywhere tests.
set -u
cd "$(dirname -- "$0")/../.." || exit 1
. tests/lib/check.sh
. scripts/lib.sh

object() { echo "$(dirname "$1")/src/switcher/switcher.o"; }

scripts/deps test >&2
module=$(scripts/build-module 6.1-cloud) || exit 1
paused=$(AFLAGS=-DLG_TEST_PAUSES=3000 MODULE_OUT="$LG_BUILD/lg-pauses" scripts/build-module 6.1-cloud) || exit 1
check every_unsafe_stack_is_in_a_range python3 tests/local/switcher_stack.py "$(object "$module")"
check and_in_the_build_with_pauses python3 tests/local/switcher_stack.py "$(object "$paused")"
checked
