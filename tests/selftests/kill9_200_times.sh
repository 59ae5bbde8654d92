#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# kill9.sh with 200 moments.
exec ./kill9.sh 200
