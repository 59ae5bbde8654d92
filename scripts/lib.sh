# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
#
# What the scripts share: paths, messages and locks.

LG_TOP=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
# Everything downloaded or slow to build lives outside the source tree, where a
# clean checkout finds it again.
LG_CACHE=${LGUEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/lguest}
LG_BUILD=$LG_TOP/build

# The host kernels we test on. The first part is the kernel's version, the
# second one Debian's flavour of it.
LG_HOSTS="6.1-cloud 6.1-full 6.12-cloud 6.12-full 7.3-cloud"
# These kernels are fetched only if a row of tests/matrix or a person names them. lg.ko is
# built for all of them, but does not run on 6.1-rt.
LG_OTHER_HOSTS="7.3-full 6.1-rt 6.12-debug"

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "$*"; exit 1; }

# lock NAME: hold the cache's lock NAME until this process ends, so that two runs do not
# download or build the same thing at once. Children inherit the lock: start a child that
# may outlive us with {LG_LOCK_FD}>&-.
lock()
{
	mkdir -p "$LG_CACHE/lock"
	exec {LG_LOCK_FD}>"$LG_CACHE/lock/$1"
	if ! flock -n "$LG_LOCK_FD"; then
		say "waiting for another run that holds the lock '$1'"
		flock "$LG_LOCK_FD"
	fi
}

# unlock: release the lock that the last lock() took.
unlock() { exec {LG_LOCK_FD}>&-; }

# single_quote WORD: print WORD quoted as one word for any POSIX shell.
single_quote() { printf "'%s'" "${1//\'/\'\\\'\'}"; }
