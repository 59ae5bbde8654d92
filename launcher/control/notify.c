// SPDX-License-Identifier: GPL-2.0-only
/*
 * Telling the service manager that started us that the guest runs. The rules are systemd's,
 * sd_notify(3): text on a datagram socket that NOTIFY_SOCKET names.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/message.h"
#include "control/notify.h"
#include "base/unix_socket.h"

static int notify_fd = -1;

/**
 * notify_init() - connect to the service manager, if there is one
 *
 * Call this while the sandbox still allows names. Failure does not matter: nobody listens then.
 */
void notify_init(void)
{
	const char *name = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address;
	socklen_t size;

	if (!name || (*name != '/' && *name != '@') || unix_address(&address, "%s", name))
		return;
	/* '@' stands for the 0 that an abstract name begins with. */
	if (*name == '@')
		address.sun_path[0] = '\0';
	size = offsetof(struct sockaddr_un, sun_path) + strlen(name);
	notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (notify_fd >= 0 && connect(notify_fd, (struct sockaddr *)&address, size) < 0) {
		detail("nobody listens at NOTIFY_SOCKET=%s", name);
		file_close(&notify_fd);
	}
}

/**
 * notify_ready() - tell the service manager that the guest runs
 *
 * Told once: later restarts are not told. After --detach, this is not the process that was
 * started.
 */
void notify_ready(void)
{
	char text[64];
	int size;

	if (notify_fd < 0)
		return;
	size = snprintf(text, sizeof(text), "READY=1\nMAINPID=%d", getpid());
	if (send(notify_fd, text, size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		detail("the service manager does not take that the guest runs");
	file_close(&notify_fd);
}
