# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Completion for lguest in bash. Options and commands are those that this lguest's own
# --help lists, so that there is no second list to keep.

_lguest_help() { "${1:-lguest}" "${2:---help}" ${3:+"$3"} 2>/dev/null; }

# Options of starting a guest, or of the command $2, with = where they take a value.
_lguest_options() { _lguest_help "$1" ${2:+"$2" --help} | sed -n 's/^  \(--[a-z-]*=\{0,1\}\).*/\1/p'; }

_lguest_commands() { _lguest_help "$1" | sed -n 's/^  lguest \([a-z]*\)\( .*\)\{0,1\}$/\1/p'; }

# Arguments of a command, as --help has them.
_lguest_arguments() { _lguest_help "$1" | sed -n "s/^  lguest $2 //p"; }

_lguest_names() { "${1:-lguest}" list 2>/dev/null | sed -n '2,$s/ .*//p'; }

_lguest_offer() { mapfile -t COMPREPLY < <(compgen "$@"); }

# One option, with = behind it, is not yet a whole word.
_lguest_offer_options()
{
	_lguest_offer -W "$1" -- "$2"
	[ "${#COMPREPLY[@]}" != 1 ] || [[ ${COMPREPLY[0]} != *= ]] || compopt -o nospace 2>/dev/null
}

# _lguest_value OPTION CURRENT: what may be an option's value; fails if it takes none.
_lguest_value()
{
	case $1 in
	--net) _lguest_offer -W 'user tap bridge: socket:' -- "$2" ;;
	--block) _lguest_offer -f -W 'vhost-user:' -- "$2" ;;
	--share) _lguest_offer -d -- "$2" ;;
	--memory | --shadow) _lguest_offer -W '64m 512m 1g' -- "$2" ;;
	--sandbox) _lguest_offer -W 'on off' -- "$2" ;;
	--abi) _lguest_offer -W 'lguest xen' -- "$2" ;;
	--cpus) _lguest_offer -W '1 2 4 8 16' -- "$2" ;;
	--kernel | --initrd | --port | --console) _lguest_offer -f -- "$2" ;;
	*) return 1 ;;
	esac
}

# Where the words behind the options begin, from word $1; what is not there yet is there.
_lguest_end_of_options()
{
	local at=$1 options=$2
	while [ "$at" -lt "$COMP_CWORD" ]; do
		case ${COMP_WORDS[at]} in
		--) at=$((at + 1)); break ;;
		--*)
			if [ "${COMP_WORDS[at + 1]-}" = = ]; then
				at=$((at + 2))
			elif grep -qxF -- "${COMP_WORDS[at]}=" <<<"$options"; then
				at=$((at + 1))
			fi ;;
		-?*) ;;
		*) break ;;
		esac
		at=$((at + 1))
	done
	echo "$at"
}

# A command of the host's, and whatever its own completion has for it.
_lguest_run()
{
	local program=$1 current=$2 options end
	options=$(_lguest_options "$program" run)
	end=$(_lguest_end_of_options 2 "$options")
	if [ "$end" -lt "$COMP_CWORD" ] && declare -F _command_offset >/dev/null; then
		_command_offset "$end"
	elif [ "$end" -lt "$COMP_CWORD" ]; then
		_lguest_offer -f -- "$current"
	elif [[ $current = -* ]]; then
		_lguest_offer_options "$options" "$current"
	else
		_lguest_offer -c -- "$current"
	fi
}

_lguest_command()
{
	local program=$1 command=$2 current=$3 position=$4 arguments words
	arguments=$(_lguest_arguments "$program" "$command")
	words=$(grep -oE -- '--[a-z-]+=?' <<<"$arguments")
	if [ "$command" = run ]; then
		_lguest_run "$program" "$current"
	elif [ "$command" = help ]; then
		[ "$position" != 2 ] || _lguest_offer -W "$(_lguest_commands "$program")" -- "$current"
	elif [[ $current != -* ]] && [ "$position" = 2 ] && [[ $arguments = NAME* ]]; then
		_lguest_offer -W "$(_lguest_names "$program")" -- "$current"
	else
		_lguest_offer_options "$words --help" "$current"
	fi
}

_lguest()
{
	local program=${COMP_WORDS[0]} current=${COMP_WORDS[COMP_CWORD]} previous='' before=''
	[ "$COMP_CWORD" = 0 ] || previous=${COMP_WORDS[COMP_CWORD - 1]}
	[ "$COMP_CWORD" -lt 2 ] || before=${COMP_WORDS[COMP_CWORD - 2]}
	COMPREPLY=()

	# bash splits --option=value at "=".
	if [ "$current" = = ]; then
		_lguest_value "$previous" '' || _lguest_offer -f
		return
	elif [ "$previous" = = ]; then
		_lguest_value "$before" "$current" || _lguest_offer -f -- "$current"
		return
	fi
	if [[ $previous = --* && $current != -* ]] && _lguest_value "$previous" "$current"; then
		return
	fi
	if [ "$COMP_CWORD" -gt 1 ] && _lguest_commands "$program" | grep -qxF -- "${COMP_WORDS[1]}"; then
		_lguest_command "$program" "${COMP_WORDS[1]}" "$current" "$COMP_CWORD"
		return
	fi
	if [[ $current = -* ]]; then
		_lguest_offer_options "$(_lguest_options "$program")" "$current"
	elif [ "$COMP_CWORD" = 1 ]; then
		_lguest_offer -W "$(_lguest_commands "$program") 64m 512m 1g" -- "$current"
	elif [[ $previous =~ ^[0-9]+[kKmMgG]?$ ]]; then
		_lguest_offer -f -- "$current"
	else
		_lguest_offer -W '64m 512m 1g' -- "$current"
	fi
}

complete -o filenames -F _lguest lguest
