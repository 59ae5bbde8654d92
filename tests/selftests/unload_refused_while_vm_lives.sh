#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# rmmod is refused while a VM lives, however little of it there is, and works once
# it is gone. Fails when rmmod succeeds too early, or not at all.
# shellcheck source=tests/selftests/check.sh
. ./check.sh
# shellcheck source=tests/selftests/guest.sh
. ./guest.sh

refused()
{
	if rmmod lg 2>"$work/err"; then echo "it was unloaded"; return 1; fi
	grep -i 'in use\|busy\|unavailable' "$work/err" || { cat "$work/err"; return 1; }
}

# An open /dev/lguest is a VM, even without memory or a virtual CPU.
refused_with_the_device_open()
{
	exec 7<>/dev/lguest
	refused
	status=$?
	exec 7<&-
	return "$status"
}

start_guest()
{
	make_initrd "$work/initrd" 'exec sleep 1000' || return 1
	lguest --initrd="$work/initrd" 64m "$kernel" quiet </dev/null >"$work/console" 2>&1 &
	launcher=$!
	wait_for 30 refcnt_is_not_0
}

end_guest() { kill -9 "$launcher" && wait_for 10 refcnt_is 0; }

unloads() { rmmod lg && [ ! -e /sys/module/lg ] && [ ! -e /dev/lguest ]; }

check refused_with_the_device_open refused_with_the_device_open
check a_guest_starts start_guest
check refused_while_the_guest_runs refused
check the_guest_ends end_guest
check unloads_then unloads
check loads_again load_module
checked
