# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# Which of the long rows have been seen to pass with what they are made from now.
# tests/long-passed says so, a line for each row:
#
#   NAME HASH-OF-ITS-INPUTS SECONDS
#
# It is part of the tree: who lets a long row pass commits it, and continuous
# integration then need not run it.
passed_list=$tests/long-passed

hash_of() { sha256sum | cut -c 1-16; }

# hash_files FILE-OR-FOLDER...: of what is in them, and what they are called.
hash_files() { find "$@" -type f ! -name '*.1' ! -name '*.o' -print0 | sort -z | xargs -0 sha256sum | hash_of; }

# inputs_init: what every row depends on; once, before anything is built. A shell script
# that is no program is part of others.
inputs_init()
{
	local shared
	mapfile -t shared < <(find tests/selftests -name '*.sh' ! -perm -u+x)
	inputs_common=$(hash_files driver switcher include launcher guest-patches scripts Kbuild tests/hostvm tests/lib \
		tests/selftests/*.[chS] "${shared[@]}")
}

# row_inputs OPTIONS TESTS: the hash of one row's: of its tests, and what they become. Those of
# fuzz-long, unit-tsan and selftests are in folders, fuzz, unit and selftests.
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

# passed NAME HASH: has the row passed with these inputs?
passed() { grep -qs "^$1 $2 " "$passed_list"; }

# likely_seconds NAME OPTIONS: how long it may take: as ever, or else up to its limit. To
# build the debug host's kernel takes as long again as a long row, where the cache lacks it.
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

# note_result NAME HASH SECONDS PASSED: keep it, or that it is not so any more. Rows end side
# by side. The seconds are the most it has ever taken: on a cold machine some rows build a kernel.
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
