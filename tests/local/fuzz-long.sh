#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# As fuzz.sh, with a minute for each fuzzer, which goes on from where the last run ended.
export FUZZ_SECONDS=60
exec "$(dirname -- "$0")/fuzz.sh"
