# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# The host VM's initramfs: a base for each kernel, which is kept, and what this run needs.

# tool NAME: print the path of a static program, built from tests/lib/vm/NAME.c if that changed.
tool()
{
	local source=$here/lib/vm/$1.c out=$LG_BUILD/vm-tools/$1
	if [ ! -e "$out" ] || [ "$source" -nt "$out" ]; then
		mkdir -p "$(dirname "$out")"
		gcc -std=gnu11 -O2 -Wall -Wextra -static -o "$out.$$" "$source" || return 1
		mv "$out.$$" "$out"
	fi
	echo "$out"
}

# with_libraries FILE ROOT: copy the shared libraries of the program FILE to where its
# loader looks for them.
with_libraries()
{
	local library
	LC_ALL=C ldd "$1" 2>/dev/null | grep -oE '/[^ ]+' | while read -r library; do
		[ -e "$2$library" ] || install -D "$library" "$2$library"
	done
}

# put FILE DEST ROOT: copy FILE, or a folder, and the libraries that its programs need.
put()
{
	local file
	[ -e "$1" ] || { say "no such file: $1"; return 1; }
	mkdir -p "$3/$(dirname "$2")"
	cp -aL "$1" "$3/$2" || return 1
	find "$3/$2" -type f -perm -u+x | while read -r file; do
		if [ "$(head -c 4 "$file" | tail -c 3)" = ELF ]; then
			# Ignore an error: a static program has no libraries.
			with_libraries "$file" "$3" || true
		fi
	done
}

# base_image NAME COMMAND...: print an image under build/initramfs. COMMAND... makes it,
# unless it is newer than everything that it comes from.
base_image()
{
	local out=$LG_BUILD/initramfs/$1.cpio
	shift
	if [ ! -e "$out" ] || [ -n "$(find "$here/lib/vm" "$LG_TOP/scripts/mkinitramfs" \
			${kernel_dir:+"$kernel_dir/version"} -newer "$out" -print -quit)" ]; then
		"$LG_TOP/scripts/mkinitramfs" "$@" "$out" || return 1
	fi
	echo "$out"
}

# make_image RUN COMMAND...: make RUN/initrd.
make_image()
{
	local run=$1 root=$1/root base guest_image item word
	shift
	base=$(base_image "host-${host:-none}" host "${kernel_dir:-/nonexistent}") || return 1
	guest_image=$(base_image guest guest) || return 1

	mkdir -p "$root/lg" "$root/run.d"
	cp "$(tool lg-console)" "$root/lg/" || return 1
	if [ "$machine" = bochs ]; then cp "$(tool port-e9)" "$root/lg/" || return 1; fi
	cp "$guest_image" "$root/lg/initrd.img" || return 1
	if [ -n "$module" ]; then cp "$module" "$root/lg/lg.ko" || return 1; fi
	if [ -e "$LG_BUILD/lguest" ]; then put "$LG_BUILD/lguest" lg/lguest "$root" || return 1; fi
	if [ -e "$LG_BUILD/guest-6.12/bzImage" ]; then
		mkdir -p "$root/lg/guest-6.12"
		cp -L "$LG_BUILD/guest-6.12/bzImage" "$root/lg/guest-6.12/bzImage"
	fi
	for item in "${add[@]}"; do
		case $item in
		*:*) put "${item%%:*}" "${item#*:}" "$root" || return 1 ;;
		*) put "$item" "lg/$(basename "$item")" "$root" || return 1 ;;
		esac
	done
	for word; do
		printf '%s ' "$(single_quote "$word")"
	done >"$root/run.d/cmd"
	echo >>"$root/run.d/cmd"
	{
		echo "machine=$machine tty=$tty load=$load"
		echo "term=$(single_quote "${TERM:-vt100}")"
		# shellcheck disable=SC2046  # two words
		set -- $( { [ "$tty" = 0 ] || stty size; } 2>/dev/null)
		echo "rows=${1:-24} cols=${2:-80}"
		for item in "${get[@]}"; do echo "${item%%:*}"; done >"$run/get"
		echo "get=$(single_quote "$(cat "$run/get")")"
	} >"$root/run.d/settings"
	if [ "$machine" = bochs ] && [ ! -t 0 ]; then save_stdin "$root/run.d/stdin"; fi
	"$LG_TOP/scripts/mkinitramfs" pack "$root" "$run/extra" || return 1
	cat "$base" "$run/extra" >"$run/initrd" || return 1
	rm -rf "$root" "$run/extra" "$run/get"
}
