// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a client of the control socket may ask of the guest: one line of words, answered by
 * an object of JSON (Documentation/control.md).
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "control/answer.h"
#include "base/clock.h"
#include "base/compiler.h"
#include "option/config.h"
#include "terminal/console_log.h"
#include "control/control.h"
#include "base/number.h"
#include "pause.h"
#include "terminal/recent.h"
#include "terminal/relay.h"
#include "control/requests.h"
#include "control/stats.h"
#include "virtio/balloon.h"
#include "vm.h"

/* How much of the console is shown if it goes to no file. */
#define LOG_BYTES	8192

static const char *state(const struct vm *vm)
{
	if (!vm)
		return "starting";
	return vm->pause.wanted ? "paused" : "running";
}

static json_t *do_info(struct request_guest *guest, char **argument)
{
	const struct options *options = guest->options;

	(void)argument;
	return answer_done("{s:s, s:i, s:s, s:I, s:I, s:i, s:o}", "name", guest->name,
			   "pid", (int)getpid(), "state", state(guest->vm),
			   "uptime", (json_int_t)(now_ms() - guest->since) / 1000,
			   "memory", (json_int_t)options->memory, "cpus", (int)options->cpus,
			   "kernel", answer_text(options->kernel));
}

static json_t *do_stats(struct request_guest *guest, char **argument)
{
	(void)argument;
	return stats_answer(guest->vm, guest->name, state(guest->vm));
}

/* argument[0]: bytes, in decimal. */
static json_t *do_balloon(struct request_guest *guest, char **argument)
{
	uint64_t bytes;

	if (!number_parse(argument[0], 0, UINT64_MAX, &bytes))
		return answer_refused("'%s' is no number of bytes", argument[0]);
	if (!guest->vm->balloon)
		return answer_refused("it has no balloon");
	if (bytes >= guest->vm->memory.size)
		return answer_refused("it has %llu MiB, and can't give all of that back",
				      (unsigned long long)guest->vm->memory.size >> 20);
	balloon_set(guest->vm->balloon, bytes);
	return answer_done(NULL);
}

static json_t *do_pause(struct request_guest *guest, char **argument)
{
	int error = pause_guest(guest->vm);

	(void)argument;
	switch (error) {
	case 0:
		return answer_done(NULL);
	case -EALREADY:
		return answer_refused("it is paused already");
	case -ESRCH:
		return answer_refused("it is just ending");
	case -ETIMEDOUT:
		return answer_refused("its output has no reader now; try again");
	default:
		return answer_refused("the host can't stop its time: %s", strerror(-error));
	}
}

static json_t *do_resume(struct request_guest *guest, char **argument)
{
	int error = pause_end(guest->vm);

	(void)argument;
	if (error == -EALREADY)
		return answer_refused("it is not paused");
	return error ? answer_refused("the host can't let its time go on: %s", strerror(-error)) :
		       answer_done(NULL);
}

static bool parse_size(char **argument, uint16_t *columns, uint16_t *rows)
{
	uint64_t value[2];

	if (!number_parse(argument[0], 0, UINT16_MAX, &value[0]) ||
	    !number_parse(argument[1], 0, UINT16_MAX, &value[1]))
		return false;
	*columns = value[0];
	*rows = value[1];
	return true;
}

/* The server hands the connection to the console after this is answered. */
static json_t *do_console(struct request_guest *guest, char **argument)
{
	uint16_t columns, rows;

	if (!parse_size(argument, &columns, &rows))
		return answer_refused("a window has columns and rows");
	switch (relay_reserve()) {
	case -ENOTTY:
		return answer_refused("its console is where it was started; --detach starts one without");
	case -EBUSY:
		return answer_refused("its console is in use");
	}
	guest->attach = true;
	relay_resize(columns, rows);
	return answer_done(NULL);
}

/* What the guest has printed: the name of the file that has it, or the last lines. */
static json_t *do_log(struct request_guest *guest, char **argument)
{
	char text[LOG_BYTES + 1];

	(void)guest;
	(void)argument;
	if (console_log_path())
		return answer_done("{s:o}", "file", answer_text(console_log_path()));
	text[recent_get(text, LOG_BYTES, LOG_BYTES)] = '\0';
	return answer_done("{s:o}", "text", answer_text(text));
}

static json_t *do_resize(struct request_guest *guest, char **argument)
{
	uint16_t columns, rows;

	if (!parse_size(argument, &columns, &rows))
		return answer_refused("a window has columns and rows");
	if (guest->vm && guest->vm->xen)
		return answer_refused("a guest of Xen's ABI can't be told how large a window is: 'stty columns %u rows %u' in it says so",
				      columns, rows);
	return relay_resize(columns, rows) ? answer_refused("its console has no window") :
					     answer_done(NULL);
}

/* The command of "lguest run" gets a SIGTERM, and the guest ends with it. */
static json_t *do_stop(struct request_guest *guest, char **argument)
{
	(void)argument;
	if (guest->vm->pause.wanted)
		return answer_refused("it is paused: 'lguest resume %s' lets it go on", guest->name);
	if (guest->options->for_command) {
		kill(getpid(), SIGTERM);
		return answer_done(NULL);
	}
	switch (vm_power_down(guest->vm)) {
	case 0:
		return answer_done(NULL);
	case -ENODEV:
		return answer_refused("it was started without --name or --detach, and can't be told: 'lguest kill %s' ends it",
				      guest->name);
	case -EHOSTDOWN:
		return answer_refused("its kernel does not listen yet: try again, or 'lguest kill %s' ends it",
				      guest->name);
	case -EALREADY:
		return answer_refused("it has been told before: 'lguest kill %s' ends it", guest->name);
	case -EPROTO:
	case -ENOSPC:
	case -ENOMEM:
		return answer_refused("there is no way to tell its kernel any more: 'lguest kill %s' ends it",
				      guest->name);
	case -ENOTCONN:
		return answer_refused("no guest agent runs in it: 'lguest kill %s' ends it", guest->name);
	default:
		return answer_refused("its guest agent does not listen: 'lguest kill %s' ends it",
				      guest->name);
	}
}

/* The server ends the guest after this is answered: later it may not be there to answer. */
static json_t *do_kill(struct request_guest *guest, char **argument)
{
	(void)argument;
	guest->killed = true;
	return answer_done(NULL);
}

static const struct request {
	const char *word;
	bool needs_guest;	/* refused unless guest->vm runs */
	int arguments;
	json_t *(*run)(struct request_guest *guest, char **argument);
} requests[] = {
	{ "info", false, 0, do_info },
	{ "stats", true, 0, do_stats },
	{ "pause", true, 0, do_pause },
	{ "resume", true, 0, do_resume },
	{ "balloon", true, 1, do_balloon },
	{ "console", false, 2, do_console },
	{ "resize", false, 2, do_resize },
	{ "log", false, 0, do_log },
	{ "stop", true, 0, do_stop },
	{ "kill", false, 0, do_kill },
};

#define MAX_ARGUMENTS	2

static json_t *run_request(struct request_guest *guest, char *line)
{
	char *argument[MAX_ARGUMENTS + 1] = { NULL }, *rest = NULL;
	char *word = strtok_r(line, " ", &rest);
	const struct request *request = NULL;
	json_t *answer;
	unsigned int i;
	int count;

	for (i = 0; word && i < ARRAY_SIZE(requests); i++)
		if (!strcmp(word, requests[i].word))
			request = &requests[i];
	if (!request)
		return answer_refused("no such request: is the guest's lguest an older one?");
	for (count = 0; count <= MAX_ARGUMENTS; count++)
		if (!(argument[count] = strtok_r(NULL, " ", &rest)))
			break;
	if (count != request->arguments)
		return answer_refused("'%s' takes %d words", request->word, request->arguments);
	pthread_mutex_lock(&guest->lock);
	answer = request->needs_guest && !guest->vm ?
		 answer_refused("it is not running yet, or not any more") :
		 request->run(guest, argument);
	pthread_mutex_unlock(&guest->lock);
	return answer;
}

/**
 * request_answer() - do what a client asks for
 * @guest: whom it is about
 * @line: the request, without its newline; taken apart
 *
 * Return: the answer, good or bad, with the version of its rules.
 */
json_t *request_answer(struct request_guest *guest, char *line)
{
	json_t *answer = run_request(guest, line);

	json_object_set_new(answer, "version", json_integer(CONTROL_VERSION));
	return answer;
}
