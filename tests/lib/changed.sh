# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# Which long rows have passed with their present inputs. tests/long-passed has a line for
# each row that has passed:
#
#   NAME HASH-OF-ITS-INPUTS SECONDS
#
# The file is part of the tree: whoever runs long rows commits it, and then continuous
# integration need not run them.
passed_list=$tests/long-passed

hash_of() { sha256sum | cut -c 1-16; }

# hash_files FILE-OR-FOLDER...: hash their contents and names.
hash_files() { find "$@" -type f ! -name '*.1' ! -name '*.o' -print0 | sort -z | xargs -0 sha256sum | hash_of; }

# inputs_init: hash what every row depends on; call this once, before anything is built. A
# shell script that is not executable is sourced by others.
inputs_init()
{
	local shared
	mapfile -t shared < <(find tests/selftests -name '*.sh' ! -perm -u+x)
	inputs_common=$(hash_files driver switcher include launcher guest-patches scripts Kbuild tests/hostvm tests/lib \
		tests/selftests/*.[chS] "${shared[@]}")
}

# row_inputs OPTIONS TESTS: hash a row's inputs: its tests, and the scripts that they exec. The
# tests fuzz-long, unit-tsan and selftests have folders: fuzz, unit and selftests.
row_inputs()
{
	local name file next
	{
		printf '%s\n' "$inputs_common" "$*"
		for name in $2; do
			[ ! -d "tests/${name%-*}" ] || hash_files "tests/${name%-*}"
			for file in "tests/selftests/$name.sh" "tests/local/$name.sh"; do
				[ -e "$file" ] || continue
				cat "$file"
				next=$(sed -n 's|^exec \./\([a-z0-9_]*\.sh\).*|tests/selftests/\1|p' "$file")
				[ -z "$next" ] || cat "$next"
			done
		done
	} | hash_of
}

# passed NAME HASH: has this row passed with these inputs?
passed() { grep -qs "^$1 $2 " "$passed_list"; }

# likely_seconds NAME OPTIONS: print how long the row may take: what tests/long-passed says, or
# else its time limit. Building the debug host's kernel, where the cache lacks it, adds as much
# as a long row takes.
debug_host_seconds=2700
likely_seconds()
{
	local limit=900 build=0
	if [[ $2 = *'--flavour debug'* ]] && ! scripts/build-debug-host --built >/dev/null; then
		build=$debug_host_seconds
	fi
	[[ ! $2 =~ --timeout\ ([0-9]+) ]] || limit=${BASH_REMATCH[1]}
	awk -v name="$1" -v limit="$limit" -v build="$build" '$1 == name { seconds = $3 }
		END { print build + (seconds ? seconds : limit) }' "$passed_list" 2>/dev/null || echo $((build + limit))
}

# note_result NAME HASH SECONDS PASSED: note that the row has passed, or remove its line. Rows
# may end at the same time, so lock. Keep the longest time that the row has ever taken: on a
# machine with an empty cache some rows build a kernel.
note_result()
{
	local most
	(
		flock 9
		most=$(likely_seconds "$1" '--timeout 0')
		{
			awk -v name="$1" '$1 != name' "$passed_list" 2>/dev/null || true
			[ -z "$4" ] || echo "$1 $2 $((most > $3 ? most : $3))"
		} | LC_ALL=C sort >"$passed_list.new"
		mv "$passed_list.new" "$passed_list"
	) 9>"$out/long-passed.lock"
}
