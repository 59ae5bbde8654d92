#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# make install puts everything where it belongs below DESTDIR, and what it puts there
# is of use: the completion offers what the program has, the man page describes all of
# it, and the udev rule names the device as the module does.
set -u
cd "$(dirname -- "$0")/../.." || exit 1
. tests/selftests/check.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
program=$root/usr/bin/lguest

installs() { make -s install DESTDIR="$root" PREFIX=/usr KVER=6.1-cloud; }
installed_are()
{
	(cd "$root" && find . -type f | LC_ALL=C sort) | diff - <(printf '%s\n' \
		./lib/modules/6.1-cloud/updates/lg.ko \
		./lib/udev/rules.d/60-lguest.rules \
		./usr/bin/lguest \
		./usr/share/bash-completion/completions/lguest \
		./usr/share/man/man1/lguest.1)
}
the_program_runs() { "$program" --version | grep -q '^lguest '; }

# complete WORD...: what bash offers for the last WORD of a command line.
offered()
{
	COMP_WORDS=("$program" "$@") COMP_CWORD=$# bash --norc -c '
		. "$0/usr/share/bash-completion/completions/lguest"
		COMP_WORDS=("$@")
		COMP_CWORD=$(($# - 1))
		_lguest
		printf "%s\n" "${COMPREPLY[@]}"' "$root" "$program" "$@"
}
offers() { local word=$1; shift; offered "$@" | grep -qxF -- "$word" || { echo "no $word for: $*"; offered "$@"; return 1; }; }
offers_not() { ! offers "$@" >/dev/null; }

options() { "$program" --help | sed -n 's/^  \(--[a-z-]*=\{0,1\}\).*/\1/p'; }
commands() { "$program" --help | sed -n 's/^  lguest \([a-z]*\).*/\1/p'; }
every_option_is_offered() { [ "$(options | wc -l)" -gt 5 ] && for option in $(options); do offers "$option" -- || return 1; done; }
run_options() { "$program" run --help | sed -n 's/^  \(--[a-z-]*=\{0,1\}\).*/\1/p'; }
every_option_of_run_is_offered() { [ "$(run_options | wc -l)" -gt 15 ] && for option in $(run_options); do offers "$option" run -- || return 1; done; }
every_command_is_offered() { [ "$(commands | wc -l)" -gt 5 ] && for command in $(commands); do offers "$command" "" || return 1; done; }

page=$root/usr/share/man/man1/lguest.1
# Words of the page without its markup.
page_text() { sed -e 's/\\-/-/g' -e 's/\\f[A-Z]//g' -e 's/"//g' "$page"; }
every_option_is_described()
{
	for option in $(options) $(run_options); do
		page_text | grep -A1 '^\.TP' | grep -q -- "${option%=}\b" || { echo "$option"; return 1; }
	done
}
every_command_is_described()
{
	for command in $(commands); do
		[ "$command" = help ] || page_text | grep -A1 '^\.TP' | grep -qE "^\.(BI|BR|B) $command\b" ||
			{ echo "$command"; return 1; }
	done
}
the_page_has_no_warnings()
{
	command -v groff >/dev/null || return 0
	! groff -t -man -Tutf8 -ww -z "$page" 2>&1 | grep .
}
rule_names_the_device() { grep -q '^KERNEL=="lguest", SUBSYSTEM=="misc"' "$root/lib/udev/rules.d/60-lguest.rules" && grep -q '"lguest"' driver/main.c; }

XDG_RUNTIME_DIR=$work/runtime
export XDG_RUNTIME_DIR
mkdir "$XDG_RUNTIME_DIR"
check make_install_works installs
check installs_what_it_should installed_are
check the_program_runs the_program_runs
check every_option_is_offered every_option_is_offered
check every_command_is_offered every_command_is_offered
check a_commands_option_is_offered offers --json list --
check an_option_of_none_is_not offers_not --json console one --
check an_option_of_run_alone_is_not offers_not --timeout= --ti
check every_option_of_run_is_offered every_option_of_run_is_offered
check a_command_is_offered_behind_run offers uname run unam
check a_command_is_offered_behind_runs_options offers uname run --cpus 2 --net = user -v unam
check an_option_is_not_offered_behind_the_command offers_not --cpus= run uname --
check a_network_is_offered offers user --net = ''
check a_network_is_offered_as_a_word offers bridge: run --net b
check a_program_is_offered_for_a_disk offers vhost-user: --block = vh
check a_command_is_offered_for_help offers stop help st
cd "$root/usr" || exit 1
check a_file_is_offered_for_a_kernel offers bin 64m bi
check a_file_is_offered_for_an_option offers bin --initrd = bi
check a_file_is_offered_for_a_disk offers bin --block bi
check a_directory_is_offered_for_a_share offers bin run --share = bi
check a_file_is_offered_behind_runs_command offers bin run ls bi
check a_file_is_offered_for_run offers bin run --kernel bi
cd - >/dev/null || exit 1
check every_option_is_described every_option_is_described
check every_command_is_described every_command_is_described
check the_page_has_no_warnings the_page_has_no_warnings
check rule_names_the_device rule_names_the_device
checked
