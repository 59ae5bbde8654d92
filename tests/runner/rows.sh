# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154
#
# Part of tests/run: selects the rows of the matrix to run. A row is NAME|OPTIONS|TESTS.

# all_rows: print NAME|RANK|OPTIONS|TESTS for each row of the matrix, without blanks around |.
all_rows() { sed -E '/^ *(#|$)/d; s/ *\| */|/g; s/ +/ /g; s/ $//' "$tests/matrix"; }

# rows: print NAME|OPTIONS|TESTS for each row of the matrix that was asked for.
rows()
{
	local name rank options names want
	while IFS='|' read -r name rank options names; do
		if [ ${#wanted[@]} = 0 ]; then
			[ "$rank" = quick ] || [ "$level" = long ] || continue
			echo "$name|$options|$names"
			continue
		fi
		for want in "${wanted[@]}"; do
			case $want in
			"$name") echo "$name|$options|$names" ;;
			"$name"/*) echo "$name|$options|${want#*/}" ;;
			esac
		done
	done < <(all_rows)
}

# one_of_each: read rows, and merge those with the same name into one with the tests of all,
# since a row's results are in one file.
one_of_each()
{
	awk '
		{ name = $0; sub(/\|.*/, "", name); tests = $0; sub(/.*\|/, "", tests) }
		!(name in row) { order[++count] = name; row[name] = $0 }
		{
			split(row[name], old, "|")
			words = split(tests, test, " ")
			for (i = 1; i <= words; i++)
				if (index(" " old[3] " ", " " test[i] " ") == 0) {
					row[name] = row[name] " " test[i]
					old[3] = old[3] " " test[i]
				}
		}
		END { for (i = 1; i <= count; i++) print row[order[i]] }'
}

# select_rows: sets
#   selected   the rows that were asked for
#   inputs     for each long row the hash of its inputs
#   changed    the long rows that have not passed with their inputs, if --changed asks for them.
#              They are in the order of the hash: if there is no time for all, others come
#              first after the next change.
select_rows()
{
	local name rank options names row
	mapfile -t selected < <(rows | one_of_each)
	inputs_init
	while IFS='|' read -r name rank options names; do
		[ "$rank" = long ] || continue
		row="$name|$options|$names"
		inputs["$row"]=$(row_inputs "$options" "$names")
		[ "$minutes" = 0 ] || [ ${#wanted[@]} != 0 ] || passed "$name" "${inputs["$row"]}" || changed+=("$row")
	done < <(all_rows)
	mapfile -t changed < <(for row in "${changed[@]}"; do echo "${inputs[$row]}|$row"; done | sort | cut -d '|' -f 2-)
}
