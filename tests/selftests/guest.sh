# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2034
#
# What several tests need to start a guest by the launcher itself, where lg-run
# would be in the way.

kernel=/lg/guest-6.12/bzImage
tests=/lg/selftests
work=$(mktemp -d /tmp/test.XXXXXX)
trap 'rm -rf "$work"' EXIT

# make_initrd FILE COMMAND [PROGRAM...]: FILE is an initrd whose init runs COMMAND (for
# a shell) and powers off; the PROGRAMs come to lie in its /bin.
make_initrd()
{
	initrd_file=$1 initrd_command=$2
	shift 2
	initrd_root=$(mktemp -d "$work/root.XXXXXX")
	mkdir "$initrd_root/bin"
	echo "$initrd_command" >"$initrd_root/cmd"
	for program; do cp "$program" "$initrd_root/bin/"; done
	{ cat /lg/initrd.img; (cd "$initrd_root" && find . | cpio -o -H newc 2>/dev/null); } >"$initrd_file"
	rm -rf "$initrd_root"
}

# wait_for SECONDS COMMAND...: until COMMAND succeeds.
wait_for()
{
	wait_tries=$(($1 * 10))
	shift
	until "$@"; do
		wait_tries=$((wait_tries - 1))
		[ "$wait_tries" -gt 0 ] || return 1
		usleep 100000
	done
}

# refcnt_is NUMBER: lg.ko has that many users.
refcnt_is() { [ "$(cat /sys/module/lg/refcnt)" = "$1" ]; }
refcnt_is_not_0() { ! refcnt_is 0; }

# said TEXT FILE: FILE has TEXT, as it is, in one line.
said() { grep -aqF -- "$1" "$2" || { echo "no \"$1\" in:"; tail -n 30 "$2"; return 1; }; }
