// SPDX-License-Identifier: GPL-2.0-only
/* Requests over the control socket, while no guest runs: each gets one line of JSON. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/control.h"
#include "input.h"
#include "option/config.h"
#include "tasks.h"

static struct options options = {
	.name = "one", .cpus = 2, .memory = 64ULL << 20, .kernel = "kernel",
};
static struct sockaddr_un address = { .sun_family = AF_UNIX };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	launcher_begin();
	setenv("XDG_RUNTIME_DIR", scratch_directory(), 1);
	tasks_begin(0);
	require(!control_init(&options) && !control_start());
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/lguest/one.sock",
		 getenv("XDG_RUNTIME_DIR"));
	return 0;
}

static void is_an_answer(char *text)
{
	json_error_t error;
	json_t *answer = json_loads(text, 0, &error);

	require(answer && json_is_boolean(json_object_get(answer, "ok")));
	require(text[strlen(text) - 1] == '\n');
	json_decref(answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char text[8192];
	ssize_t got;

	require(!connect(fd, (struct sockaddr *)&address, sizeof(address)));
	/* The launcher may answer and close the socket before all is sent. */
	if (send(fd, data, size < 4096 ? size : 4096, MSG_NOSIGNAL) >= 0)
		shutdown(fd, SHUT_WR);
	tasks_settle();
	got = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
	if (got > 0) {
		text[got] = '\0';
		is_an_answer(text);
	}
	close(fd);
	return 0;
}
