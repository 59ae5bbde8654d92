// SPDX-License-Identifier: GPL-2.0-only
/*
 * lguest kill, pause, resume, balloon and stats NAME: what can be asked of a Guest
 * that runs.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "client.h"
#include "commands.h"
#include "control.h"
#include "message.h"
#include "options.h"

#define KILL_TIMEOUT_S	30

/* What the person said behind the command. */
struct words {
	bool json;
	unsigned int count;
	const char *word[2];
};

static int parse(struct words *words, int argc, char **argv, unsigned int count)
{
	int i;

	memset(words, 0, sizeof(*words));
	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--json"))
			words->json = true;
		else if (*argv[i] == '-' || words->count == count)
			return refuse(-EINVAL, "'%s' is not for lguest %s: 'lguest --help' says what is",
				      argv[i], argv[0]);
		else
			words->word[words->count++] = argv[i];
	}
	if (words->count < 1)
		return refuse(-EINVAL, "%s which guest? 'lguest list' lists yours", argv[0]);
	if (words->count < count)
		return refuse(-EINVAL, "lguest %s %s: how much? For example: 64m, or 0 for nothing",
			      argv[0], words->word[0]);
	return 0;
}

/* One line for machines, or what @tell makes of it. Return: the exit status. */
static int show(json_t *answer, bool json, void (*tell)(json_t *answer))
{
	if (answer && json) {
		json_dumpf(answer, stdout, JSON_COMPACT);
		putchar('\n');
	} else if (answer && tell) {
		tell(answer);
	}
	json_decref(answer);
	return answer ? EXIT_SUCCESS : EXIT_FAILURE;
}

/**
 * command_ask() - lguest pause|resume NAME: the request is the command's name
 * @argc: words
 * @argv: the words
 *
 * Return: the exit status.
 */
int command_ask(int argc, char **argv)
{
	struct words words;
	pid_t pid;

	if (parse(&words, argc, argv, 1))
		return EXIT_FAILURE;
	return show(client_ask(words.word[0], &pid, argv[0]), words.json, NULL);
}

/* One line for each number that is not 0, with the names of all that it is in. */
static void tell_all(json_t *value, const char *path)
{
	char name[256];
	const char *key;
	json_t *part;
	size_t i;

	if (json_is_string(value))
		printf("%-36s %14s\n", path, json_string_value(value));
	else if (json_is_integer(value) && json_integer_value(value))
		printf("%-36s %14lld\n", path, (long long)json_integer_value(value));
	json_array_foreach(value, i, part) {
		snprintf(name, sizeof(name), "%s.%zu", path, i);
		tell_all(part, name);
	}
	json_object_foreach(value, key, part) {
		snprintf(name, sizeof(name), "%s%s%s", path, *path ? "." : "", key);
		tell_all(part, name);
	}
}

static void tell_stats(json_t *answer)
{
	tell_all(answer, "");
}

/**
 * command_stats() - lguest stats NAME [--json]
 * @argc: words
 * @argv: the words
 *
 * Return: the exit status.
 */
int command_stats(int argc, char **argv)
{
	struct words words;
	pid_t pid;

	if (parse(&words, argc, argv, 1))
		return EXIT_FAILURE;
	return show(client_ask(words.word[0], &pid, argv[0]), words.json, tell_stats);
}

/**
 * command_balloon() - lguest balloon NAME SIZE
 * @argc: words
 * @argv: the words
 *
 * Return: the exit status.
 */
int command_balloon(int argc, char **argv)
{
	char line[CONTROL_LINE_MAX];
	struct words words;
	uint64_t size = 0;
	pid_t pid;

	if (parse(&words, argc, argv, 2))
		return EXIT_FAILURE;
	if (strcmp(words.word[1], "0") && options_memory(words.word[1], &size))
		return EXIT_FAILURE;
	snprintf(line, sizeof(line), "balloon %llu", (unsigned long long)size);
	return show(client_ask(words.word[0], &pid, line), words.json, NULL);
}

/*
 * Ask a Guest for its end. Its process is held before that, so that no other one can
 * have its number by then. Return: a descriptor that is readable when it has ended, or
 * a negative errno after telling the person.
 */
static int ask_for_end(const char *name, const char *request)
{
	json_t *answer;
	int process;
	pid_t pid;

	answer = client_ask(name, &pid, "info");
	if (!answer)
		return -ESRCH;
	json_decref(answer);
	process = pidfd_open(pid, 0);
	if (process < 0)
		return refuse(-errno, "can't watch process %d: %s", pid, strerror(errno));
	answer = client_ask(name, &pid, request);
	if (!answer) {
		close(process);
		return -ESRCH;
	}
	json_decref(answer);
	return process;
}

static bool has_ended(int process, unsigned int seconds)
{
	struct pollfd poll_fd = { .fd = process, .events = POLLIN };

	return poll(&poll_fd, 1, seconds * 1000) > 0;
}

static int kill_guest(const char *name)
{
	int process = ask_for_end(name, "kill"), status = EXIT_FAILURE;

	if (process < 0)
		return EXIT_FAILURE;
	if (has_ended(process, KILL_TIMEOUT_S))
		status = EXIT_SUCCESS;
	else
		message("the guest '%s' is still there after %d s", name, KILL_TIMEOUT_S);
	close(process);
	return status;
}

/**
 * command_kill() - lguest kill NAME
 * @argc: words
 * @argv: the words
 *
 * Return: the exit status; the Guest's process has ended if it is 0.
 */
int command_kill(int argc, char **argv)
{
	struct words words;

	if (parse(&words, argc, argv, 1))
		return EXIT_FAILURE;
	return kill_guest(words.word[0]);
}
