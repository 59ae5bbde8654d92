#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The guest's patches apply without fuzz to Debian's Linux of today and to the oldest
# that the archive still has, checkpatch has nothing to say about them, and their copy of
# the ABI is the host's.
set -u
cd "$(dirname -- "$0")/../.." || exit 1
. tests/selftests/check.sh
. scripts/lib.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

series=${GUEST_PATCHES:-$PWD/guest-patches/6.12}

patches() { sed -e 's/#.*//' -e 's/[[:space:]]*$//' -e '/^$/d' -e "s|^|$series/|" "$series/series"; }

# unpack ID: only the files that the patches name, and checkpatch.
unpack()
{
	local source
	source=$(scripts/fetch-kernel "$1") || return 1
	mkdir -p "$work/$1"
	{
		patches | xargs cat | sed -n 's!^--- a/\([^[:space:]]*\).*!*/\1!p' | sort -u
		printf '*/scripts/%s\n' checkpatch.pl spelling.txt const_structs.checkpatch
	} >"$work/names"
	tar -x -C "$work/$1" --strip-components=1 --wildcards --no-anchored -T "$work/names" -f "$source/linux.tar.xz"
	# tar complains of files that a patch adds and a later one changes.
	[ -e "$work/$1/scripts/checkpatch.pl" ]
}

applies()
{
	unpack "$1"
	patches | while read -r patch; do
		patch -d "$work/$1" -p1 -F0 --no-backup-if-mismatch <"$patch" || exit 1
	done
}

# A series for several versions leaves MAINTAINERS alone, which changes with each.
checkpatch()
{
	patches | xargs perl "$work/source-6.12/scripts/checkpatch.pl" --no-tree --terse --no-summary \
		--ignore FILE_PATH_CHANGES
}

abi_is_the_hosts() { diff include/lguest_abi.h "$work/source-6.12/arch/x86/include/asm/lguest_abi.h"; }

check applies_to_todays_source applies source-6.12
check abi_is_the_hosts abi_is_the_hosts
if [ "$(cat "$(scripts/fetch-kernel source-6.12-old)/version")" = "$(cat "$(scripts/fetch-kernel source-6.12)/version")" ]; then
	skip applies_to_an_older_source "the archive has one version only"
else
	check applies_to_an_older_source applies source-6.12-old
fi
check checkpatch_is_silent checkpatch
checked
