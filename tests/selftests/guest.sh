# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2034
#
# Where a test finds what it needs, or is skipped, and what several do with it. Needs
# check.sh, and a test to run where it lies. The person who runs them says:
#
#   LGUEST      the launcher, whose file is called lguest (else the one in PATH)
#   LG_MODULE   lg.ko (else what modprobe finds)
#   LG_KERNEL   a kernel for guests
#   LG_INITRD   an initrd for it: busybox, and tests/lib/vm/guest-init as its init
#   LG_SCRATCH  a disk that tests may write over; LG_SCRATCH_2, another one
#
# The host VM (tests/hostvm) has the first four in /lg. A test that needs less than the
# launcher and the device sets $needs before: "device" or "launcher".
LGUEST=$(command -v "${LGUEST:-lguest}")
LG_MODULE=${LG_MODULE:-$(ls /lg/lg.ko 2>/dev/null)}
LG_KERNEL=${LG_KERNEL:-/lg/guest-6.12/bzImage}
LG_INITRD=${LG_INITRD:-/lg/initrd.img}
kernel=$LG_KERNEL
tests=$PWD
export LG_KERNEL LG_INITRD
PATH=${LGUEST:+${LGUEST%/*}:}$PATH:$tests

load_module() { if [ -n "$LG_MODULE" ]; then insmod "$LG_MODULE"; else modprobe lg; fi; }

need_launcher()
{
	[ -n "$LGUEST" ] || missing "no launcher: lguest is not in PATH, and LGUEST names none"
	[ -r "$LG_KERNEL" ] || missing "no kernel for guests: LG_KERNEL is $LG_KERNEL"
	[ -r "$LG_INITRD" ] || missing "no initrd for guests: LG_INITRD is $LG_INITRD"
}

# Where everything must be, nothing is loaded for a test: the one before has to leave it so.
need_device()
{
	[ -n "${LG_MUST_RUN:-}" ] || [ -c /dev/lguest ] || load_module >/dev/null 2>&1
	[ -c /dev/lguest ] || missing "no /dev/lguest, and ${LG_MODULE:-lg.ko} can't be loaded"
}

for need in ${needs:-launcher device}; do "need_$need"; done
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
	{ cat "$LG_INITRD"; (cd "$initrd_root" && find . | cpio -o -H newc 2>/dev/null); } >"$initrd_file"
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
		sleep 0.1
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
