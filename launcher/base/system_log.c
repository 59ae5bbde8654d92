// SPDX-License-Identifier: GPL-2.0-only
/*
 * The system's log, in the form of syslog(3). While the log's daemon takes nothing, syslog(3)
 * would wait, holding a lock that all threads need; this one drops the line instead.
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
 * system_log_open() - prepare for system_log()
 * @path: SYSTEM_LOG; tests use another one
 *
 * The sandbox allows no new sockets once the guest runs, and perhaps no names of files: so
 * make the socket and connect it now.
 */
void system_log_open(const char *path)
{
	pthread_mutex_lock(&where.lock);
	file_close(&where.fd);
	if (!unix_address(&where.address, "%s", path))
		where.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (where.fd >= 0)
		connect(where.fd, (struct sockaddr *)&where.address, sizeof(where.address));
	pthread_mutex_unlock(&where.lock);
}

/**
 * system_log() - write a line to the log; it is lost if the daemon takes nothing
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
	/* If the daemon was restarted meanwhile, reach the new one by the socket's name. */
	if (send(where.fd, text, size, FLAGS) < 0 && errno != EAGAIN)
		sendto(where.fd, text, size, FLAGS, (struct sockaddr *)&where.address,
		       sizeof(where.address));
	pthread_mutex_unlock(&where.lock);
}
