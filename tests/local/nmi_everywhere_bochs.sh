#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# nmi_everywhere on the strict machine, where MOV SS does hold a #DB back over SYSCALL.
cd "$(dirname -- "$0")/../.." || exit 1
exec tests/local/nmi_everywhere.sh bochs
