# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Completion for lguest in bash. Options and commands are those that this lguest's own
# --help lists, so that there is no second list to keep.

_lguest_help() { "${1:-lguest}" --help 2>/dev/null; }

# Options of starting a guest, with = where they take a value.
_lguest_options() { _lguest_help "$1" | sed -n 's/^  \(--[a-z-]*=\{0,1\}\).*/\1/p'; }

_lguest_commands() { _lguest_help "$1" | sed -n 's/^  lguest \([a-z]*\)\( .*\)\{0,1\}$/\1/p'; }

# Arguments of a command, as --help has them.
_lguest_arguments() { _lguest_help "$1" | sed -n "s/^  lguest $2 //p"; }

_lguest_names() { "${1:-lguest}" list 2>/dev/null | sed -n '2,$s/ .*//p'; }

_lguest_offer() { mapfile -t COMPREPLY < <(compgen "$@"); }

_lguest_command()
{
	local program=$1 command=$2 current=$3 position=$4 arguments words
	arguments=$(_lguest_arguments "$program" "$command")
	words=$(grep -oE -- '--[a-z-]+=?' <<<"$arguments")
	if [ "${COMP_WORDS[COMP_CWORD - 1]}" = --kernel ]; then
		_lguest_offer -f -- "$current"
		return
	fi
	case $current in
	-*) _lguest_offer -W "$words" -- "$current" ;;
	*)
		if [ "$position" = 2 ] && [[ $arguments = NAME* ]]; then
			_lguest_offer -W "$(_lguest_names "$program")" -- "$current"
		else
			_lguest_offer -W "$words" -- "$current"
		fi ;;
	esac
}

_lguest()
{
	local program=${COMP_WORDS[0]} current=${COMP_WORDS[COMP_CWORD]} previous=''
	[ "$COMP_CWORD" = 0 ] || previous=${COMP_WORDS[COMP_CWORD - 1]}
	COMPREPLY=()

	# bash splits --option=value at "=".
	if [ "$current" = = ]; then
		_lguest_offer -f
		return
	elif [ "$previous" = = ]; then
		_lguest_offer -f -- "$current"
		return
	fi
	if [ "$COMP_CWORD" -gt 1 ] && _lguest_commands "$program" | grep -qxF -- "${COMP_WORDS[1]}"; then
		_lguest_command "$program" "${COMP_WORDS[1]}" "$current" "$COMP_CWORD"
		return
	fi
	case $current in
	-*)
		_lguest_offer -W "$(_lguest_options "$program")" -- "$current"
		[ "${#COMPREPLY[@]}" != 1 ] || [[ ${COMPREPLY[0]} != *= ]] || compopt -o nospace 2>/dev/null
		return ;;
	esac
	if [ "$COMP_CWORD" = 1 ]; then
		_lguest_offer -W "$(_lguest_commands "$program") 64m 512m 1g" -- "$current"
	elif [[ $previous =~ ^[0-9]+[kKmMgG]?$ ]]; then
		_lguest_offer -f -- "$current"
	else
		_lguest_offer -W '64m 512m 1g' -- "$current"
	fi
}

complete -o filenames -F _lguest lguest
