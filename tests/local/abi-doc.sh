#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Documentation/abi.md agrees with the two headers that it describes.
# shellcheck disable=SC2016  # the backquotes are the page's
set -u
cd "$(dirname -- "$0")/../.." || exit 1
. tests/selftests/check.sh

headers=(include/lguest_abi.h include/lguest_uapi.h)
page=Documentation/abi.md

# code: the headers without comments.
code() { cat "${headers[@]}" | sed -e 's!/\*.*\*/!!' -e '/\/\*/,/\*\//d'; }

# constants: NAME VALUE for each; VALUE is - where it is an expression or a table.
constants()
{
	code | awk '
		$1 == "#define" && $2 ~ /^(LGUEST|LHCALL)_/ {
			value = $3
			sub(/\(.*/, "", $2)
			sub(/ULL$/, "", value)
			print $2, NF == 3 && value ~ /^(0x[0-9a-f]+|[0-9]+|".*")$/ ? value : "-"
		}'
}

# fields: STRUCT FIELD for each; a field of a named union member is MEMBER.FIELD.
fields()
{
	code | awk '
		/^struct [a-z_]+ \{/ { name = $2; depth = 1; held = 0; next }
		!depth { next }
		/\{$/ { depth++; next }
		/^\t*\}/ {
			depth--
			member = $2
			sub(/;.*/, "", member)
			for (i = 0; i < held; i++)
				print name, (member != "" ? member "." : "") inner[i]
			held = 0
			next
		}
		{ $0 = before $0; before = "" }
		NF && !/;/ { before = $0 " "; next }
		/;/ {
			sub(/^[ \t]+/, "")
			sub(/;.*/, "")
			sub(/^struct [a-z_]+ +/, "") || sub(/^[a-z_0-9]+ +/, "")
			gsub(/\[[^\]]*\]?/, "")
			for (i = split($0, list, /, */); i > 0; i--) {
				if (depth >= 3)
					inner[held++] = list[i]
				else
					print name, list[i]
			}
		}'
}

# section STRUCT: what the page says of it.
section() { awk -v title="### \`struct $1\`" '$0 == title { on = 1; next } /^##/ { on = 0 } on' "$page"; }

every_constant_is_named_with_its_value()
{
	local name value lines bad=0
	while read -r name value; do
		lines=$(grep -F "\`$name\`" "$page") || { echo "$name is not named"; bad=1; continue; }
		[ "$value" = - ] || grep -qwF -- "$value" <<<"$lines" || { echo "$name is not $value there"; bad=1; }
	done < <(constants)
	[ "$bad" = 0 ]
}

every_field_is_named_where_its_structure_is()
{
	local name field bad=0
	while read -r name field; do
		section "$name" | grep -qF "\`$field\`" || { echo "struct $name: $field is not named"; bad=1; }
	done < <(fields)
	[ "$bad" = 0 ]
}

nothing_is_named_that_is_not_there()
{
	grep -oE '`(LGUEST|LHCALL)_[A-Za-z0-9_]+`' "$page" | tr -d '`' | sort -u |
		comm -23 - <(constants | cut -d ' ' -f 1 | sort -u) | { ! grep .; } &&
	sed -n 's/^### `struct \(.*\)`$/\1/p' "$page" | sort -u |
		comm -23 - <(fields | cut -d ' ' -f 1 | sort -u) | { ! grep .; }
}

# Not a promise of the page, but without it the others promise nothing.
the_headers_are_understood()
{
	[ "$(constants | wc -l)" -gt 60 ] && [ "$(fields | grep -cE '^lguest_(data irq_enabled|run mmio\.length|regs r15|init dirty_map)$')" = 4 ]
}

check the_headers_are_understood the_headers_are_understood
check every_constant_is_named_with_its_value every_constant_is_named_with_its_value
check every_field_is_named_where_its_structure_is every_field_is_named_where_its_structure_is
check nothing_is_named_that_is_not_there nothing_is_named_that_is_not_there
checked
