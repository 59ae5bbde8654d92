#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The disk of make debian-guest, used as Documentation/debian.md says. Fails when systemd
# does not reach a login prompt or has a failed unit, root can't come in by the console or
# by ssh's forwarded port with the key (or can without it), apt can't install from a
# repository on the host's loopback, or the file system is not clean after poweroff.
# Wants the disk as /dev/vda, and ssh, ssh-keygen and e2fsck.
# shellcheck source=tests/selftests/check.sh
. ./check.sh
# shellcheck source=tests/selftests/guest.sh
. ./guest.sh
# shellcheck source=tests/selftests/debian.sh
. ./debian.sh

ssh-keygen -q -t ed25519 -N '' -C 'the key' -f "$work/key"
httpd -p 127.0.0.1:8080 -h "$tests/repository"

# start WORDS...: boot the disk, with these options and a key for root.
start()
{
	start_guest --block=/dev/vda "$@" 512m "$kernel" root=/dev/vda rw \
		"systemd.set_credential=\"ssh.authorized_keys.root:$(cat "$work/key.pub")\""
}

# Who types before the shell has its terminal may type for nobody.
# shellcheck disable=SC2016  # for the guest
logs_in_on_the_console()
{
	echo root >&8
	console_says 600 1 'root@guest:~#' || return 1
	# The text as typed is on the console, too.
	echo 'echo this is "$(tty)"' >&8
	console_says 300 1 'this is /dev/hvc0'
}

# state_on_the_console: as no_unit_failed, without a network.
# shellcheck disable=SC2016  # for the guest
state_on_the_console()
{
	echo 'echo "state: $(systemctl is-system-running --wait)"; systemctl --failed | cat' >&8
	console_says 600 1 'units listed' && grep -aF 'state: running' "$console" && return
	tail -n 30 "$console"
	return 1
}

in_guest()
{
	ssh -n -F none -i "$work/key" -p 2222 -o BatchMode=yes -o ConnectTimeout=60 -o LogLevel=ERROR \
		-o StrictHostKeyChecking=accept-new -o "UserKnownHostsFile=$work/hosts" "$@"
}
guest() { in_guest root@127.0.0.1 "$@"; }

ssh_comes_in()
{
	wait_for 60 guest true && guest id -un | grep -x root || return 1
	guest 'exit 7'
	[ $? = 7 ]
}

no_way_in_without_the_key()
{
	in_guest -o PubkeyAuthentication=no root@127.0.0.1 true 2>"$work/refusal"
	[ $? = 255 ] && said 'Permission denied' "$work/refusal"
}

no_unit_failed()
{
	guest 'systemctl is-system-running --wait || { systemctl --failed --plain; journalctl -b -p warning; exit 1; }'
}

apt_installs()
{
	guest 'echo "deb [trusted=yes] http://10.0.2.2:8080/ ./" >/etc/apt/sources.list
		apt-get -o DPkg::Lock::Timeout=300 update && apt-get -y -o DPkg::Lock::Timeout=300 install lguest-test'
	guest lguest-test | grep -x installed
}

# The same launcher starts the guest again; what was installed is there, and the host key
# is the same: ssh would complain.
comes_back_after_a_reboot()
{
	guest systemctl reboot
	console_says 1500 2 'guest login:' && wait_for 60 guest true && guest lguest-test | grep -x installed
}

poweroff_by_ssh() { guest systemctl poweroff; }

start --net=user,hostfwd=tcp:127.0.0.1:2222-:22
check boots_to_a_login_prompt console_says 1500 1 'guest login:'
check logs_in_on_the_console logs_in_on_the_console
check ssh_comes_in ssh_comes_in
check no_way_in_without_the_key no_way_in_without_the_key
check no_unit_failed no_unit_failed
check apt_installs apt_installs
check comes_back_after_a_reboot comes_back_after_a_reboot
check no_unit_failed_again no_unit_failed
check powers_off ends poweroff_by_ssh
check file_system_is_clean e2fsck -fn /dev/vda

start
check boots_without_a_network console_says 1500 1 'guest login:'
check logs_in_without_a_network logs_in_on_the_console
check no_unit_failed_without_a_network state_on_the_console
check powers_off_without_a_network ends poweroff_on_the_console
check file_system_is_clean_again e2fsck -fn /dev/vda
checked
