#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# System call, event, return and change of page tables are written twice: in the switcher,
# and in C for what is out of the ordinary. Each guest of hostile_guest that ends is run
# twice, with the switcher's way switched off and on. Fails when the two differ in the end,
# a register or a byte of memory, or when the switcher has not done some of each by itself.
exec ./hostile_guest --both "$@"
