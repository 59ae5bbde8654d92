// SPDX-License-Identifier: GPL-2.0-only
/*
 * lguest stop, kill, wait, pause, resume, balloon and stats NAME: requests to a guest that
 * runs.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "option/amount.h"
#include "control/answer.h"
#include "control/client.h"
#include "command/commands.h"
#include "control/control.h"
#include "base/exit_status.h"
#include "base/file.h"
#include "base/message.h"
#include "control/runtime.h"
#include "base/words.h"

#define STOP_TIMEOUT_S	60
/* How long the launcher may take to answer, to end, and to end after SIGTERM and SIGKILL. */
#define KILL_ANSWER_S	5
#define KILL_TIMEOUT_S	20
#define TERM_TIMEOUT_S	2
#define SIGNAL_TIMEOUT_S	5
#define PROGRESS_S		5

/* The words behind the command. */
struct words {
	bool json;
	unsigned int timeout;		/* seconds; 0: none was given */
	unsigned int count;
	const char *word[2];
};

static int parse(struct words *words, int argc, char **argv, unsigned int count)
{
	bool waits = !strcmp(argv[0], "stop") || !strcmp(argv[0], "wait");
	const char *timeout;
	int i, used;

	memset(words, 0, sizeof(*words));
	words->json = message_json;
	for (i = 1; i < argc; i++) {
		used = waits ? words_option(argv + i, "timeout", true, &timeout) : 0;
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

/* Print one line of JSON, or what @tell makes of the answer. Return: the exit status. */
static int show(json_t *answer, bool json, void (*tell)(json_t *answer))
{
	if (answer && json) {
		answer_print(answer);
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

/* Print a line for each number that is not 0, with the names of all objects that it is in. */
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

/* A guest that is to end. */
struct ending {
	const char *name;
	pid_t pid;
	int process;		/* pidfd: readable when it has ended */
};

/*
 * Open the pidfd while we are connected to the process: so its number can't be that of another
 * process by now.
 */
static int find_process(struct ending *ending, const char *name, int *fd)
{
	ending->name = name;
	*fd = client_find(name, &ending->pid);
	if (*fd < 0 && *fd != -EAGAIN)
		return *fd;
	ending->process = pidfd_open(ending->pid, 0);
	if (ending->process >= 0)
		return 0;
	file_close(fd);
	return refuse(-errno, "can't watch process %d: %s", ending->pid, strerror(errno));
}

static bool has_ended(const struct ending *ending, unsigned int seconds)
{
	struct pollfd poll_fd = { .fd = ending->process, .events = POLLIN };
	struct timespec time = { .tv_sec = seconds };

	return ppoll(&poll_fd, 1, &time, NULL) > 0;
}

/* Return: has the process ended? */
static bool end_by_signal(const struct ending *ending, int number, unsigned int seconds)
{
	if (pidfd_send_signal(ending->process, number, NULL, 0) < 0 && errno != ESRCH)
		message("can't end process %d: %s", ending->pid, strerror(errno));
	return has_ended(ending, seconds);
}

/* A launcher that was killed leaves its name; runtime_connect() removes it. */
static void remove_name(const char *name)
{
	struct runtime runtime;
	pid_t pid;
	int fd;

	if (runtime_open(&runtime, false))
		return;
	fd = runtime_connect(&runtime, name, &pid);
	file_close(&fd);
	runtime_close(&runtime);
}

/*
 * End the guest: ask its launcher by @fd, which is closed, or if that does not help, end the
 * process. SIGTERM lets it restore its terminal, unless it is stopped or stuck. @said: what is
 * printed when the process has ended. Return: the exit status.
 */
static int kill_process(struct ending *ending, int fd, json_t *said, bool json)
{
	json_t *answer = fd >= 0 ? client_request(fd, "kill", KILL_ANSWER_S) : NULL;
	bool ended = answer && has_ended(ending, KILL_TIMEOUT_S);

	json_decref(answer);
	file_close(&fd);
	if (!ended && !has_ended(ending, 0)) {
		message("the guest '%s' %s: its process %d is killed", ending->name,
			answer ? "does not end" : "does not answer", ending->pid);
		/* The launcher may pass the first SIGTERM on to its guest. */
		ended = end_by_signal(ending, SIGTERM, TERM_TIMEOUT_S) ||
			end_by_signal(ending, SIGTERM, TERM_TIMEOUT_S) ||
			end_by_signal(ending, SIGKILL, SIGNAL_TIMEOUT_S);
		remove_name(ending->name);
		if (!ended)
			refuse(-EBUSY, "process %d is still there: the host waits for something in its name",
			       ending->pid);
	} else {
		ended = true;
	}
	close(ending->process);
	if (!ended) {
		json_decref(said);
		said = NULL;
	}
	return show(said, json, NULL);
}

/**
 * command_kill() - lguest kill NAME [--json]
 * @argc: words
 * @argv: the words
 *
 * Return: the exit status: 0 if the process of the guest has ended.
 */
int command_kill(int argc, char **argv)
{
	struct ending ending;
	struct words words;
	int fd;

	if (parse(&words, argc, argv, 1))
		return EXIT_USAGE;
	if (find_process(&ending, words.word[0], &fd))
		return EXIT_FAILURE;
	return kill_process(&ending, fd, json_object(), words.json);
}

/*
 * The guest was asked to stop and has not stopped. If it has ended just now, another guest may
 * have its name already.
 */
static int kill_after_all(struct ending *ending, bool json)
{
	pid_t pid;
	int fd = client_find(ending->name, &pid);

	if (fd >= 0 && pid != ending->pid)
		file_close(&fd);
	return kill_process(ending, fd, json_pack("{s:b}", "killed", 1), json);
}

/* @fd is closed. Return: 0, or a negative errno after telling the person. */
static int ask_to_stop(const struct ending *ending, int fd)
{
	json_t *answer;

	if (fd < 0)
		return client_refuse(fd, ending->name, ending->pid);
	answer = client_insist(fd, ending->name, ending->pid, "stop");
	json_decref(answer);
	return answer ? 0 : -ESRCH;
}

/* As has_ended(), but tell a person at a terminal that the guest still runs. */
static bool watch_end(const struct ending *ending, unsigned int seconds)
{
	bool looks_on = isatty(STDERR_FILENO), ended = false;
	unsigned int waited = 0, part;

	while (!ended && waited < seconds) {
		part = seconds - waited < PROGRESS_S ? seconds - waited : PROGRESS_S;
		ended = has_ended(ending, part);
		waited += part;
		if (!ended && looks_on && waited < seconds)
			message("'%s' still runs, %u of %u s", ending->name, waited, seconds);
	}
	return ended;
}

/**
 * command_stop() - lguest stop NAME [--timeout=S] [--json]
 * @argc: words
 * @argv: the words
 *
 * Return: the exit status: 0 if the process of the guest has ended.
 */
int command_stop(int argc, char **argv)
{
	struct ending ending;
	struct words words;
	int fd;

	if (parse(&words, argc, argv, 1))
		return EXIT_USAGE;
	if (find_process(&ending, words.word[0], &fd))
		return EXIT_FAILURE;
	if (ask_to_stop(&ending, fd)) {
		close(ending.process);
		return EXIT_FAILURE;
	}
	if (!words.timeout)
		words.timeout = STOP_TIMEOUT_S;
	if (!watch_end(&ending, words.timeout)) {
		message("the guest '%s' is still there after %u s: it is killed", ending.name,
			words.timeout);
		return kill_after_all(&ending, words.json);
	}
	close(ending.process);
	return show(json_pack("{s:b}", "killed", 0), words.json, NULL);
}

/**
 * command_wait() - lguest wait NAME [--timeout=S] [--json]
 * @argc: words
 * @argv: the words
 *
 * Return: the exit status: 0 if the process of the guest has ended.
 */
int command_wait(int argc, char **argv)
{
	struct ending ending;
	struct words words;
	bool ended;
	int fd;

	if (parse(&words, argc, argv, 1))
		return EXIT_USAGE;
	if (find_process(&ending, words.word[0], &fd))
		return EXIT_FAILURE;
	file_close(&fd);
	do
		ended = has_ended(&ending, words.timeout ? words.timeout : INT_MAX);
	while (!ended && !words.timeout);
	close(ending.process);
	if (ended)
		return show(json_object(), words.json, NULL);
	refuse(-ETIMEDOUT, "the guest '%s' still runs after %u s", words.word[0], words.timeout);
	return EXIT_TIMED_OUT;
}
