#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# lg.ko builds without a warning, extra ones included, and clean under sparse where
# the kernel takes the sparse that this machine has.
set -u
cd "$(dirname -- "$0")/../.." || exit 1
. tests/selftests/check.sh
. scripts/lib.sh

for host in $LG_HOSTS; do
	check "builds_clean_for_$host" env W=1 C=2 MODULE_OUT="$LG_BUILD/lg-strict" scripts/build-module "$host"
done
checked
