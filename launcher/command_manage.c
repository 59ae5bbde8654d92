// SPDX-License-Identifier: GPL-2.0-only
/*
 * lguest stop, kill, pause, resume, balloon and stats NAME: what can be asked of a
 * Guest that runs.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "amount.h"
#include "client.h"
#include "commands.h"
#include "control.h"
#include "exit_status.h"
#include "message.h"
#include "words.h"

#define STOP_TIMEOUT_S	60
#define KILL_TIMEOUT_S	30

/* What the person said behind the command. */
struct words {
	bool json;
	unsigned int timeout;		/* seconds; 0: nothing said */
	unsigned int count;
	const char *word[2];
};

static int parse(struct words *words, int argc, char **argv, unsigned int count)
{
	bool stops = !strcmp(argv[0], "stop");
	const char *timeout;
	int i, used;

	memset(words, 0, sizeof(*words));
	words->json = message_json;
	for (i = 1; i < argc; i++) {
		used = stops ? words_option(argv + i, "timeout", true, &timeout) : 0;
		if (used < 0 || (used && amount_seconds(timeout, &words->timeout)))
			return -EINVAL;
		if (used) {
			i += used - 1;
		} else if (*argv[i] == '-' || words->count == count) {
			return misused("'%s' is not for lguest %s: 'lguest %s --help' says what is",
				       argv[i], argv[0], argv[0]);
		} else {
			words->word[words->count++] = argv[i];
		}
	}
	if (words->count < 1)
		return misused("%s which guest? 'lguest list' lists yours", argv[0]);
	if (words->count < count)
		return misused("lguest %s %s: how much? For example: 64m, or 0 for nothing", argv[0],
			       words->word[0]);
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
		return EXIT_USAGE;
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
		return EXIT_USAGE;
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
		return EXIT_USAGE;
	if (strcmp(words.word[1], "0") && amount_memory(words.word[1], &size))
		return EXIT_USAGE;
	snprintf(line, sizeof(line), "balloon %llu", (unsigned long long)size);
	return show(client_ask(words.word[0], &pid, line), words.json, NULL);
}

/* A Guest that is asked for its end. */
struct ending {
	const char *name;
	pid_t pid;
	int process;		/* pidfd: readable when it has ended */
};

/*
 * The process is held while we are connected to it, so that no other one can have its
 * number later.
 */
static int ask_for_end(struct ending *ending, const char *name, const char *request)
{
	json_t *answer;
	int fd;

	ending->name = name;
	fd = client_connect(name, &ending->pid);
	if (fd < 0)
		return fd;
	ending->process = pidfd_open(ending->pid, 0);
	if (ending->process < 0) {
		close(fd);
		return refuse(-errno, "can't watch process %d: %s", ending->pid, strerror(errno));
	}
	answer = client_insist(fd, name, ending->pid, request);
	if (!answer) {
		close(ending->process);
		return -ESRCH;
	}
	json_decref(answer);
	return 0;
}

static bool has_ended(const struct ending *ending, unsigned int seconds)
{
	struct pollfd poll_fd = { .fd = ending->process, .events = POLLIN };
	struct timespec time = { .tv_sec = seconds };

	return ppoll(&poll_fd, 1, &time, NULL) > 0;
}

/* It was asked to be killed. Return: the exit status. */
static int wait_for_kill(struct ending *ending, bool json)
{
	bool ended = has_ended(ending, KILL_TIMEOUT_S);

	if (!ended)
		message("the guest '%s' is still there after %d s", ending->name, KILL_TIMEOUT_S);
	close(ending->process);
	return show(ended ? json_object() : NULL, json, NULL);
}

/**
 * command_kill() - lguest kill NAME [--json]
 * @argc: words
 * @argv: the words
 *
 * Return: the exit status; the Guest's process has ended if it is 0.
 */
int command_kill(int argc, char **argv)
{
	struct ending ending;
	struct words words;

	if (parse(&words, argc, argv, 1))
		return EXIT_USAGE;
	if (ask_for_end(&ending, words.word[0], "kill"))
		return EXIT_FAILURE;
	return wait_for_kill(&ending, words.json);
}

/*
 * It did not do as it was told. If it has ended in the last moment, another Guest may
 * have its name.
 */
static void kill_after_all(struct ending *ending)
{
	pid_t pid;
	int fd = client_connect(ending->name, &pid);

	if (fd < 0)
		return;
	if (pid == ending->pid)
		json_decref(client_insist(fd, ending->name, pid, "kill"));
	else
		close(fd);
}

/**
 * command_stop() - lguest stop NAME [--timeout=S] [--json]
 * @argc: words
 * @argv: the words
 *
 * Return: the exit status; the Guest's process has ended if it is 0.
 */
int command_stop(int argc, char **argv)
{
	struct ending ending;
	struct words words;

	if (parse(&words, argc, argv, 1))
		return EXIT_USAGE;
	if (ask_for_end(&ending, words.word[0], "stop"))
		return EXIT_FAILURE;
	if (!words.timeout)
		words.timeout = STOP_TIMEOUT_S;
	if (!has_ended(&ending, words.timeout)) {
		message("the guest '%s' is still there after %u s: it is killed", ending.name,
			words.timeout);
		kill_after_all(&ending);
	}
	return wait_for_kill(&ending, words.json);
}
