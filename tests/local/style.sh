#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What every file here keeps to.
set -u
cd "$(dirname -- "$0")/../.." || exit 1
. tests/selftests/check.sh

files() { git ls-files --cached --others --exclude-standard; }

# Whatever begins with #! of a shell, and the files those source.
shell_files()
{
	files | while read -r file; do
		case $file in
		*.sh) echo "$file" ;;
		*) ! head -n 1 "$file" | grep -qE '^#!.*/(ba|da)?sh' || echo "$file" ;;
		esac
	done
}

scripts_pass_shellcheck() { shell_files | xargs shellcheck; }

every_file_names_its_licence()
{
	files | grep -vE '^(guest-patches/.*\.(patch|config)|guest-patches/.*/series|.*\.md|\.gitignore|\.shellcheckrc|COPYING|tests/selftests/(config|settings)|tests/bench/results/.*)$' |
	while read -r file; do
		[ ! -f "$file" ] || head -n 5 "$file" | grep -q 'SPDX-License-Identifier: GPL-2.0' || echo "$file"
	done | { ! grep .; }
}

nothing_built_is_in_the_tree() { ! files | grep -E '\.(o|ko|a|so|cpio|bin)$'; }

# One that is longer has more than one concern: split it.
no_source_is_over_600_lines()
{
	files | grep -E '\.[chS]$' | while read -r file; do
		[ ! -f "$file" ] || [ "$(wc -l <"$file")" -le 600 ] || echo "$file"
	done | { ! grep .; }
}

check scripts_pass_shellcheck scripts_pass_shellcheck
check every_file_names_its_licence every_file_names_its_licence
check nothing_built_is_in_the_tree nothing_built_is_in_the_tree
check no_source_is_over_600_lines no_source_is_over_600_lines
checked
