#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Nothing in the launcher waits without a limit for somebody who may never answer: calls that
# do so are not there, or stand in a list with the reason. Told from the sources, line by line.
# Who waits in poll() says so by its time, and is left to the reader.
set -u
cd "$(dirname -- "$0")/../.." || exit 1
. tests/selftests/check.sh

# "FILE CALL": whom these wait for ends when the guest ends, or is a child that does.
known='terminal/detach.c waitpid
pause.c pthread_cond_wait'

# Calls that have no time, "FILE CALL"; wait for a lock that others have; or log.
endless()
{
	grep -nE '\b(pthread_cond_wait|pthread_join|sem_wait|syslog|system|popen|waitpid|waitid|wait|getaddrinfo)\(' "$@" |
	grep -vE ':[0-9]+:[[:space:]]*(/?\*|//)|WNOHANG' |
	sed -E 's/^([^:]*):[0-9]+:.*\b(pthread_cond_wait|pthread_join|sem_wait|syslog|system|popen|waitpid|waitid|wait|getaddrinfo)\(.*/\1 \2/'
	grep -hnE 'LOCK_(EX|SH)\b' "$@" | grep -v LOCK_NB
	grep -nE 'F_(OFD_)?SETLKW|MSG_WAITALL' "$@"
}
# A socket's listener may take nobody: the file must say for how long it is asked.
connects()
{
	grep -lE '[^_a-z]connect\(' "$@" | xargs -r grep -LE 'SOCK_NONBLOCK|SO_SNDTIMEO'
}
# A file of a share is opened by its descriptor, or without waiting, or is a new one.
opens() { grep -nE '\bopen(at)?\(' "$@" | grep -vE 'O_(PATH|NONBLOCK|EXCL)|:[0-9]+: \*'; }

# Without what runs in the guest.
mapfile -t files < <(cd launcher && find . -name '*.c' ! -path './session/init/*' | sed 's|^\./||')
all() { (cd launcher && "$1" "${files[@]}"); }
none() { [ -z "$(cat)" ]; }

nothing_waits_without_a_limit() { all endless | grep -vxF "$known" | tee /dev/stderr | none; }
every_connect_has_a_limit() { all connects | tee /dev/stderr | none; }
every_open_in_a_share_has_a_limit() { (cd launcher && opens p9/*.c) | tee /dev/stderr | none; }

# The check itself: it must see each of them.
each_is_seen()
{
	bad=$(mktemp -d) || return 1
	cat >"$bad/bad.c" <<-'END'
		pthread_cond_wait(&one, &two);
		flock(fd, LOCK_EX);
		fcntl(fd, F_SETLKW, &lock);
		waitpid(child, NULL, 0);
		if (connect(fd, address, size))
		fd = openat(directory, name, O_RDONLY);
	END
	[ "$(cd "$bad" && endless bad.c | wc -l)" = 4 ] && [ "$(cd "$bad" && connects bad.c)" = bad.c ] &&
		[ "$(cd "$bad" && opens bad.c | wc -l)" = 1 ]
	seen=$?
	rm -r "$bad"
	return "$seen"
}

check nothing_waits_without_a_limit nothing_waits_without_a_limit
check every_connect_has_a_limit every_connect_has_a_limit
check every_open_in_a_share_has_a_limit every_open_in_a_share_has_a_limit
check each_is_seen each_is_seen
checked
