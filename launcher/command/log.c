// SPDX-License-Identifier: GPL-2.0-only
/*
 * lguest log NAME [-f]: what a guest has printed on its console.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/client.h"
#include "command/commands.h"
#include "terminal/console_log.h"
#include "base/exit_status.h"
#include "base/file.h"
#include "base/message.h"

#define LOOK_MS		200

/* Print what the file has from *@at on. Return: false if nobody reads it. */
static bool print_more(int fd, off_t *at)
{
	char text[16384];
	struct stat status;
	ssize_t got;

	/* The launcher has cut the older half off. What we have printed moved with the rest. */
	while (!fstat(fd, &status) && status.st_size < *at && *at >= (off_t)CONSOLE_LOG_CUT)
		*at -= CONSOLE_LOG_CUT;
	while ((got = pread(fd, text, sizeof(text), *at)) > 0) {
		if (fwrite(text, 1, got, stdout) != (size_t)got)
			return false;
		*at += got;
	}
	return !fflush(stdout);
}

/* @process: pidfd of the launcher, to go on until it has ended; or -1 */
static int print_file(const char *path, int process)
{
	struct pollfd poll_fd = { .fd = process, .events = POLLIN };
	bool over = process < 0, reads;
	off_t at = 0;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return refuse(-errno, "can't open '%s': %s", path, strerror(errno));
	for (;;) {
		reads = print_more(fd, &at);
		if (over || !reads)
			break;
		over = poll(&poll_fd, 1, LOOK_MS) > 0;
	}
	close(fd);
	return reads ? 0 : refuse(-EIO, "can't print it all");
}

/* Print the file that the launcher names, or the last lines that it remembers. */
static int print_answer(const json_t *answer, bool follow, int process)
{
	const char *path = json_string_value(json_object_get(answer, "file"));
	const char *text = json_string_value(json_object_get(answer, "text"));

	if (path)
		return print_file(path, follow ? process : -1);
	if (follow)
		return refuse(-ENOENT, "its console goes to no file: start it with --console=FILE");
	printf("%s%s", text ? text : "", text && *text ? "\n" : "");
	return 0;
}

static const char *parse(int argc, char **argv, bool *follow)
{
	const char *name = NULL;
	int i;

	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-f") || !strcmp(argv[i], "--follow")) {
			*follow = true;
		} else if (*argv[i] == '-' || name) {
			misused("'%s' is not for lguest log: 'lguest log --help' says what is", argv[i]);
			return NULL;
		} else {
			name = argv[i];
		}
	}
	if (!name)
		misused("log of which guest? 'lguest list' lists yours");
	return name;
}

/**
 * command_log() - lguest log NAME [-f]
 * @argc: words
 * @argv: the words
 *
 * Return: the exit status.
 */
int command_log(int argc, char **argv)
{
	int fd, process, error = -ESRCH;
	bool follow = false;
	const char *name;
	json_t *answer;
	pid_t pid;

	name = parse(argc, argv, &follow);
	if (!name)
		return EXIT_USAGE;
	fd = client_connect(name, &pid);
	if (fd < 0)
		return EXIT_FAILURE;
	process = pidfd_open(pid, 0);
	answer = client_insist(fd, name, pid, "log");
	if (answer)
		error = print_answer(answer, follow, process);
	json_decref(answer);
	file_close(&process);
	return error ? EXIT_FAILURE : EXIT_SUCCESS;
}
