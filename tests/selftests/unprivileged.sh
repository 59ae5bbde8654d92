#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Somebody who is not root runs guests, as a member of the device's group, and nobody
# else does; and what a guest costs is that user's: the shadow pages are charged to the
# memory cgroup that the launcher is in. Fails when lg.ko asks for a capability, or when one of its
# allocations for a guest is not accounted.
# shellcheck source=tests/selftests/check.sh
. ./check.sh
# shellcheck source=tests/selftests/guest.sh
. ./guest.sh
unset XDG_RUNTIME_DIR
cgroups=$work/cgroups
cgroup=$cgroups/guest

# As the rule in packaging/ has it.
{ echo 'lguest:x:900:member'; echo 'member:x:1000:'; echo 'other:x:1001:'; } >>/etc/group
{ echo 'member:x:1000:1000::/tmp:/bin/sh'; echo 'other:x:1001:1001::/tmp:/bin/sh'; } >>/etc/passwd
chmod 1777 /tmp
chmod 755 "${LGUEST%/*}" "$LGUEST" "${kernel%/*}"
chgrp lguest /dev/lguest
chmod 660 /dev/lguest
chmod 755 "$work"

# as USER COMMAND...
as() { user=$1; shift; su -s /bin/sh "$user" -c "cd $work && PATH=${LGUEST%/*}:/bin $*" </dev/null; }
make_initrd "$work/initrd" 'echo the guest is up' 'poweroff -f; sleep 60'
chmod 644 "$work/initrd"

member_runs()
{
	as member "lguest --initrd=$work/initrd 64m $kernel quiet" >"$work/member" 2>&1
	status=$?
	[ "$status" = 0 ] || { echo "status $status"; tail -n 20 "$work/member"; return 1; }
	said 'the guest is up' "$work/member"
}
other_is_refused()
{
	as other "lguest --initrd=$work/initrd 64m $kernel quiet" >"$work/other" 2>&1
	[ $? = 1 ] && [ "$(wc -l <"$work/other")" = 1 ] && said "become a member of its group" "$work/other"
}
nobody_sees_others()
{
	lguest --name=roots 64m "$kernel" quiet </dev/null >/dev/null 2>&1 &
	wait_for 60 sh -c 'lguest list | grep -q "^roots "' || return 1
	[ "$(as member 'lguest list --json')" = '[]' ] || return 1
	as member 'XDG_RUNTIME_DIR=/run lguest kill roots' >"$work/member" 2>&1
	status=$?
	lguest kill roots
	cat "$work/member"
	[ "$status" = 1 ]
}

# A guest that has nothing at first, then many processes, hence page tables and shadow
# pages, in a cgroup.
# shellcheck disable=SC2016  # the guest's shell has these variables
make_initrd "$work/busy" 'mount -t devtmpfs none /dev; echo the guest is idle; sleep 10' \
	'i=0; while [ $i -lt 200 ]; do sleep 1000 & i=$((i + 1)); done; sleep 2' \
	'echo the guest is busy' 'sleep 1000'
cgroup_is_there()
{
	mkdir "$cgroups" && mount -t cgroup2 none "$cgroups" &&
		echo +memory >"$cgroups/cgroup.subtree_control" && mkdir "$cgroup"
}
stat_of() { awk -v name="$1" '$1 == name { print $2 }' "$cgroup/memory.stat"; }
shadow_pages() { lguest stats busy --json | "$tests/json" vcpus.0.shadow_pages; }
idle_guest()
{
	sh -c "echo \$\$ >$cgroup/cgroup.procs && exec lguest --name=busy --initrd=$work/busy 64m $kernel quiet" \
		</dev/null >"$work/out" 2>&1 &
	wait_for 200 said 'the guest is idle' "$work/out" >/dev/null || return 1
	pages_before=$(shadow_pages)
	charged_before=$(stat_of kernel)
}

# A shadow page is a page, one more for its links, and its description: kernel memory.
shadow_pages_are_charged()
{
	wait_for 200 said 'the guest is busy' "$work/out" >/dev/null || return 1
	pages=$(($(shadow_pages) - pages_before))
	charged=$(($(stat_of kernel) - charged_before))
	echo "$pages shadow pages more, $charged bytes of kernel memory more"
	[ "$pages" -gt 50 ] && [ "$charged" -gt $((pages * 8192)) ]
}
little_is_charged() { echo "$(stat_of kernel) bytes"; [ "$(stat_of kernel)" -lt 1048576 ]; }
guest_memory_is_charged() { anon=$(stat_of anon); echo "$anon bytes"; [ "$anon" -gt $((16 << 20)) ]; }
all_is_given_back()
{
	lguest kill busy && wait_for 20 little_is_charged
}
check a_member_of_the_group_runs_a_guest member_runs
check somebody_else_is_refused other_is_refused
check nobody_manages_guests_of_others nobody_sees_others
check memory_cgroup_is_there cgroup_is_there
check a_guest_runs_in_it idle_guest
check shadow_pages_are_charged shadow_pages_are_charged
check guest_memory_is_charged guest_memory_is_charged
check all_is_given_back all_is_given_back
umount "$cgroups"
checked
