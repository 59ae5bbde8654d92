# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2034
#
# What several tests need to start a guest by the launcher itself, where lg-run
# would be in the way.

kernel=/lg/guest-6.12/bzImage
tests=/lg/selftests
work=$(mktemp -d /tmp/test.XXXXXX)
trap 'rm -rf "$work"' EXIT

# make_initrd FILE COMMAND...: FILE is an initrd whose first process is a shell that runs
# the COMMANDs; when it ends, the guest's kernel panics.
make_initrd()
{
	initrd_file=$1
	shift
	initrd_root=$(mktemp -d "$work/root.XXXXXX")
	{
		echo '#!/bin/sh'
		echo 'export PATH=/bin'
		echo 'mount -t proc none /proc; mount -t sysfs none /sys; mount -t tmpfs none /tmp'
		for command; do echo "$command"; done
	} >"$initrd_root/init"
	chmod 755 "$initrd_root/init"
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

# launcher_pid: of the one that runs. Processes of its own have its name, and are younger;
# pidof says the youngest first.
launcher_pid() { launcher_pids=$(pidof lguest) && echo "${launcher_pids##* }"; }

# freeze PID: a launcher, until it is sent SIGCONT; all its threads have stopped then.
freeze()
{
	kill -STOP "$1"
	wait_for 20 has_stopped "$1"
}

has_stopped() { ! grep -h '^State:' "/proc/$1"/task/*/status | grep -qv 'T (stopped)'; }

# refcnt_is NUMBER: lg.ko has that many users.
refcnt_is() { [ "$(cat /sys/module/lg/refcnt)" = "$1" ]; }
refcnt_is_not_0() { ! refcnt_is 0; }

# said TEXT FILE: FILE has TEXT, as it is, in one line.
said() { grep -aqF -- "$1" "$2" || { echo "no \"$1\" in:"; tail -n 30 "$2"; return 1; }; }

# free_kib: memory that nobody has, in KiB. What the CPUs keep in lists of their own is
# up to 40 MiB and not in MemFree (zoneinfo: "count:"); with it, the sum is steady.
free_kib()
{
	sync
	sleep 1
	echo 3 >/proc/sys/vm/drop_caches
	sleep 1
	awk '/^MemFree:/ { free += $2 } $1 == "count:" { free += 4 * $2 } END { print free }' \
		/proc/meminfo /proc/zoneinfo
}

# refuses WORDS COMMAND...: status 1, no output, and one line on standard error that has
# WORDS (an extended regular expression).
refuses() { ends_refused 1 "$@"; }
# misused WORDS COMMAND...: the same with status 2: what was typed is wrong.
misused() { ends_refused 2 "$@"; }
ends_refused()
{
	wanted=$1 words=$2
	shift 2
	timeout 60 "$@" >"$work/out" 2>"$work/err" </dev/null
	status=$?
	cat "$work/err"
	[ "$status" = "$wanted" ] || { echo "status $status, not $wanted"; return 1; }
	[ ! -s "$work/out" ] || { echo "output:"; cat "$work/out"; return 1; }
	[ "$(wc -l <"$work/err")" = 1 ] || { echo "not one line"; return 1; }
	grep -qE "^lguest: .*($words)" "$work/err" || { echo "no '$words'"; return 1; }
	[ ! -e /sys/module/lg ] || wait_for 5 refcnt_is 0
}

# given BYTES: the guest named "one" has given so much to the host by its balloon.
given() { [ "$(lguest stats one --json | "$tests/json" balloon.given)" = "$1" ]; }

# make_nobody: a user without rights, for su, who may look into $work.
make_nobody()
{
	grep -q ^nobody /etc/passwd || echo 'nobody:x:65534:65534:nobody:/:/bin/sh' >>/etc/passwd
	chmod 755 "$work"
}
