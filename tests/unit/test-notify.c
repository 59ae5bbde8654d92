// SPDX-License-Identifier: GPL-2.0-only
/* The messages that a service manager gets about a guest. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/notify.h"
#include "unit.h"

/* Make a manager's socket, and put @name into NOTIFY_SOCKET. */
static int listen_at(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	strcpy(address.sun_path, name);
	if (*name == '@')
		address.sun_path[0] = '\0';
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address,
			      offsetof(struct sockaddr_un, sun_path) + strlen(name)), 0);
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

static void hears_it_once(int fd)
{
	char text[256] = "", wanted[64];

	notify_init();
	ck_assert_int_lt(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT), 0);
	notify_ready();
	notify_ready();
	ck_assert_int_gt(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT), 0);
	snprintf(wanted, sizeof(wanted), "READY=1\nMAINPID=%d", getpid());
	ck_assert_str_eq(text, wanted);
	ck_assert_int_lt(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT), 0);
	close(fd);
}

START_TEST(a_manager_hears_that_the_guest_runs)
{
	char name[128];

	snprintf(name, sizeof(name), "%s/notify", unit_directory());
	hears_it_once(listen_at(name));
	snprintf(name, sizeof(name), "@lguest-unit-%d", getpid());
	hears_it_once(listen_at(name));
}
END_TEST

START_TEST(no_manager_is_no_matter)
{
	static const char * const names[] = { "", "x", "@", "/nowhere/notify" };
	char name[300];
	size_t i;

	unsetenv("NOTIFY_SOCKET");
	notify_init();
	notify_ready();
	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		setenv("NOTIFY_SOCKET", names[i], 1);
		notify_init();
		notify_ready();
	}
	memset(name, '/', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	setenv("NOTIFY_SOCKET", name, 1);
	notify_init();
	notify_ready();
	ck_assert_int_eq(unit_messages, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("notify");

	UNIT_ADD(suite, a_manager_hears_that_the_guest_runs);
	UNIT_ADD(suite, no_manager_is_no_matter);
	return unit_run(suite);
}
