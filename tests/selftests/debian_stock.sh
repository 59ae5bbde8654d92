#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A Debian that brings its own kernel: nobody names one, and the launcher finds kernel,
# initrd and command line on the disk. Fails when systemd does not reach a login prompt or
# has a failed unit, when what the guest has written for its next boot does not count there,
# or when the file system is not clean after poweroff.
# Wants the disk as /dev/vda, and e2fsck.
# shellcheck disable=SC2016  # for the guest
# shellcheck source=tests/selftests/check.sh
. ./check.sh
# shellcheck source=tests/selftests/guest.sh
. ./guest.sh
# shellcheck source=tests/selftests/debian.sh
. ./debian.sh

# in_guest NUMBER COMMAND: run it, and wait for its end; the text as typed is on the console, too.
in_guest()
{
	echo "$2; echo done \$(($1 + 0))." >&8
	console_says 600 1 "done $1."
}

finds_what_to_boot()
{
	console_says 300 1 '/dev/vda: the whole disk (ext4), by its usual name: kernel /vmlinuz, initrd /initrd.img' &&
		console_says 300 1 'kernel command line: console=hvc0 root=UUID='
}

# Who types before the shell has its terminal may type for nobody.
logs_in()
{
	echo root >&8
	console_says 600 "$1" 'root@guest:~#'
}

no_unit_failed()
{
	in_guest "$1" "echo \"state $1: \$(systemctl is-system-running --wait)\"; systemctl --failed | cat" &&
		grep -aF "state $1: running" "$console" && return
	tail -n 60 "$console"
	return 1
}

runs_debians_kernel() { in_guest 20 'echo "kernel $(uname -r)"' && grep -a 'kernel 6[.].*-cloud-amd64' "$console"; }

# What grub-mkconfig writes, in short.
writes_an_entry()
{
	in_guest 30 'mkdir -p /boot/grub' || return 1
	for line in 'set default="0"' "menuentry \"New\" {" 'linux /vmlinuz root=LABEL=debian ro new.entry=1' \
		'initrd /initrd.img' '}'; do
		echo "echo '$line' >>/boot/grub/grub.cfg" >&8
		sleep 1
	done
	in_guest 31 sync
}

# The same launcher starts the guest again, by the entry.
boots_by_the_entry()
{
	echo reboot >&8
	console_says 1500 2 'guest login:' && grep -aF "by GRUB's entry 'New'" "$console" && logs_in 2 &&
		in_guest 40 'echo "words $(cat /proc/cmdline)"' &&
		grep -aF 'words root=LABEL=debian ro new.entry=1 console=hvc0' "$console"
}

start_guest --verbose 768m --block=/dev/vda
check finds_what_to_boot finds_what_to_boot
check boots_to_a_login_prompt console_says 1500 1 'guest login:'
check logs_in_on_the_console logs_in 1
check no_unit_failed no_unit_failed 10
check runs_debians_kernel runs_debians_kernel
check writes_an_entry writes_an_entry
check boots_by_the_entry boots_by_the_entry
check no_unit_failed_again no_unit_failed 50
check powers_off ends poweroff_on_the_console
check file_system_is_clean e2fsck -fn /dev/vda
checked
