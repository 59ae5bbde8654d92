# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2016
#
# apt on our own package lists. Host kernels come from several Debian releases, not
# only from the one that this machine runs, and are not installed here. So apt gets
# a state directory in the cache for each release, and never touches the system's
# own. Needs lib.sh.

# mirror_of SUFFIX: print the mirror that this machine uses for its own Debian release
# (SUFFIX empty) or for that release's security updates (SUFFIX -security).
mirror_of()
{
	local codename
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 2>/dev/null |
		awk -v want="$codename$1" '$1 == want && $2 == "main" { print $3; exit }'
}

# apt_private RELEASE PROGRAM ARGUMENTS...: run apt-get or apt-cache on the
# lists of RELEASE alone. With an empty dpkg status apt finds all dependencies missing.
apt_private()
{
	local dir=$LG_CACHE/apt/$1 program=$2
	shift 2
	"$program" -o "Dir::Etc::sourcelist=$dir/sources.list" \
		-o Dir::Etc::sourceparts=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
		-o "Dir::State::Lists=$dir/lists" -o "Dir::Cache=$dir/cache" \
		-o Dir::State::status=/dev/null -o Debug::NoLocking=1 \
		-o APT::Architecture=amd64 -o APT::Architectures::=amd64 \
		-o Dir::Cache::pkgcache=pkgcache.bin -o Dir::Cache::srcpkgcache=srcpkgcache.bin \
		-o APT::Sandbox::User= -o Acquire::Retries=3 \
		-o APT::Update::Post-Invoke::= -o Acquire::Languages=none \
		"$@"
}

# apt_refresh RELEASE: make or renew the lists of RELEASE, at most once an hour
# unless FORCE_REFRESH is set. Without a network go on with old lists.
apt_refresh()
{
	local release=$1 dir=$LG_CACHE/apt/$1 main security suite
	local keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	local -a lines=()

	if [ -z "${FORCE_REFRESH:-}" ] && [ -n "$(find "$dir/fresh" -mmin -60 2>/dev/null)" ]; then
		return
	fi
	main=${LGUEST_MIRROR:-$(mirror_of '')}
	security=${LGUEST_SECURITY_MIRROR:-$(mirror_of -security)}
	[ -n "$main" ] || die "apt knows no Debian mirror; set LGUEST_MIRROR to one"
	for suite in "$release" "$release-updates" "$release-backports"; do
		lines+=("deb [signed-by=$keyring] $main $suite main")
	done
	if [ -n "$security" ]; then
		lines+=("deb [signed-by=$keyring] $security $release-security main")
	fi
	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
	printf '%s\n' "${lines[@]}" >"$dir/sources.list"
	say "fetching the package lists of Debian $release"
	if apt_private "$release" apt-get -q update >"$dir/update.log" 2>&1 &&
	   ! grep -q '^[WE]: Failed to fetch' "$dir/update.log"; then
		touch "$dir/fresh"
	elif [ -e "$dir/fresh" ]; then
		say "no network: going on with the lists of $(date -r "$dir/fresh" +%F)"
	else
		cat "$dir/update.log" >&2
		die "cannot fetch the package lists of Debian $release"
	fi
}

# apt_unpack RELEASE DIRECTORY PACKAGE...: download the packages, without those that
# they depend on, and unpack them into DIRECTORY.
apt_unpack()
{
	local release=$1 into=$2 deb
	shift 2
	mkdir -p "$into/debs" "$into/root"
	( cd "$into/debs" && apt_private "$release" apt-get -q download "$@" ) >"$into/download.log" 2>&1 ||
		{ cat "$into/download.log" >&2; die "cannot download $*"; }
	for deb in "$into"/debs/*.deb; do
		dpkg-deb -x "$deb" "$into/root"
		rm "$deb"
	done
}
