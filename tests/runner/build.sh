# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# Part of tests/run: builds once what the rows share.

broken()
{
	say "$1"
	echo "0 passed, 1 failed, 0 skipped"
	exit 1
}

# hosts_of ROW...: print the host kernels that these rows run on.
hosts_of()
{
	local row options kernel flavour
	for row; do
		options=${row#*|} options=${options%|*} kernel=6.1 flavour=cloud
		# shellcheck disable=SC2086  # options are words
		set -- $options
		while [ $# -gt 0 ]; do
			case $1 in
			local) continue 2 ;;
			--kernel) kernel=$2 ;;
			--flavour) flavour=$2 ;;
			esac
			shift
		done
		echo "$kernel-$flavour"
	done | sort -u
}

# build_common: build what all host VMs have.
build_common()
{
	make -s launcher || broken "the launcher does not build"
	scripts/build-guest >/dev/null || broken "the guest kernel does not build"
	mkdir -p "$LG_BUILD/selftests"
	if [ -e "$tests/selftests/Makefile" ]; then
		make -s -C "$tests/selftests" "OUTPUT=$LG_BUILD/selftests" || broken "the selftests do not build"
	fi
	rsync -a --exclude='*.[chSo]' --exclude=Makefile "$tests/selftests/" "$LG_BUILD/selftests/"
	cp "$tests/lib/vm/run-selftests" "$LG_BUILD/selftests/"
}

# build_for ROW...: build everything that these rows need.
no_build=''
build_for()
{
	local host hosts
	hosts=$(hosts_of "$@")
	[ -n "$hosts" ] || return 0
	for host in $hosts; do
		scripts/build-module "$host" >/dev/null || broken "lg.ko does not build for $host"
	done
	[ -n "$no_build" ] || build_common
	no_build=1
	if [[ "$*" = *' --debian-kernel '* ]]; then
		scripts/build-debian-guest --kernel >/dev/null || broken "the disk with Debian's kernel can't be made"
	fi
	if [[ "$*" = *' --debian '* ]]; then
		scripts/build-debian-guest >/dev/null || broken "the Debian guest's disk can't be made"
		"$tests/lib/make-repository" "$LG_BUILD/selftests/repository" || broken "no packages for the Debian guest"
	fi
}
