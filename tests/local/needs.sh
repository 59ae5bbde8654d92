# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Part of circles.sh and walls.sh: which files need which, told from what their objects
# define and use.

# needs OBJECTS: lines "USER USED SYMBOL", for the sources on standard input, which are named
# from OBJECTS on. Not what is left there of files that are gone.
needs()
{
	sed -E 's,^\./,,; s,[cS]$,o,' | (cd "$1" && xargs nm -A --) | sed 's/\.o:/ /' |
	awk 'NF == 4 && $3 ~ /[TDBRV]/ { defines[$4] = $1 }
	     $(NF - 1) == "U" { user[++n] = $1; symbol[n] = $NF }
	     END { for (i = 1; i <= n; i++) if (symbol[i] in defines && defines[symbol[i]] != user[i])
		     print user[i], defines[symbol[i]], symbol[i] }' | sort -u
}

# circles KNOWN: for lines of needs() on standard input, fail where a file needs, by way of
# others, what needs that file; KNOWN is the one pair that may, or nothing.
circles() { awk '{ print $1, $2 }' | sort -u | grep -vxF "$1" | tsort >/dev/null; }
