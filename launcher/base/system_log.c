// SPDX-License-Identifier: GPL-2.0-only
/*
 * The system's log, as syslog(3) writes to it. That waits as long as the log's daemon takes
 * nothing, with a lock held that all threads need; here such a line is lost.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/system_log.h"
#include "base/unix_socket.h"

static struct {
	pthread_mutex_t lock;
	struct sockaddr_un address;
	int fd;
} where = { .lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1 };

#define FLAGS	(MSG_NOSIGNAL | MSG_DONTWAIT)

/**
 * system_log_open() - be ready for lines
 * @path: SYSTEM_LOG; tests have their own
 *
 * Once the Guest runs there are no new sockets. This one is connected, since there may be no
 * names of files any more, either.
 */
void system_log_open(const char *path)
{
	pthread_mutex_lock(&where.lock);
	file_close(&where.fd);
	if (!unix_address(&where.address, path))
		where.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (where.fd >= 0)
		connect(where.fd, (struct sockaddr *)&where.address, sizeof(where.address));
	pthread_mutex_unlock(&where.lock);
}

/**
 * system_log() - write a line to the log, or lose it
 * @line: without a newline
 */
void system_log(const char *line)
{
	time_t now = time(NULL);
	char when[32], text[1200];
	struct tm tm;
	int size;

	strftime(when, sizeof(when), "%b %e %T", localtime_r(&now, &tm));
	size = snprintf(text, sizeof(text), "<%d>%s lguest[%d]: %s", LOG_DAEMON | LOG_NOTICE, when,
			getpid(), line);
	if (size >= (int)sizeof(text))
		size = sizeof(text) - 1;
	pthread_mutex_lock(&where.lock);
	/* The daemon may have been started anew since: its name leads to the new one. */
	if (send(where.fd, text, size, FLAGS) < 0 && errno != EAGAIN)
		sendto(where.fd, text, size, FLAGS, (struct sockaddr *)&where.address,
		       sizeof(where.address));
	pthread_mutex_unlock(&where.lock);
}
