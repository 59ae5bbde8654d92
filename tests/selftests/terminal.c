// SPDX-License-Identifier: GPL-2.0-only
/*
 * terminal ROWSxCOLUMNS COMMAND [ARGUMENT...] <STEPS
 *
 * Runs COMMAND on a terminal of its own and is the person there. STEPS are lines:
 *
 *   see TEXT            wait until it has printed TEXT, after what was seen before
 *   type TEXT           type TEXT and Enter
 *   press KEY           type Ctrl-KEY, without Enter
 *   size ROWSxCOLUMNS   give the window another size
 *
 * After the last one it waits for COMMAND's end. What COMMAND prints goes to standard
 * output. Ends with COMMAND's status (128 and a signal's number); 124: a step waited
 * for too long, or in vain; 126: the terminal's modes are not what they were.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <utmp.h>

#define PATIENCE	300	/* seconds, for one step */
#define STEP_FAILED	124
#define MODES_CHANGED	126

static int person, terminal;	/* the two sides of it */
static struct termios before;
static pid_t command;
static int status;		/* of the command, when there is none any more */
static char seen[1 << 16];	/* printed, and no step's yet */
static size_t seen_size;

static void fail(const char *what, const char *which)
{
	fprintf(stderr, "terminal: %s%s%s\n", what, which ? ": " : "", which ? which : "");
	if (command) {
		kill(command, SIGTERM);
		sleep(1);
		kill(command, SIGKILL);
	}
	exit(STEP_FAILED);
}

/* What comes within a tenth of a second. A step that has room for no more forgets. */
static bool take_output(void)
{
	struct pollfd wait = { .fd = person, .events = POLLIN };
	ssize_t got;

	if (poll(&wait, 1, 100) <= 0)
		return false;
	if (seen_size > sizeof(seen) / 2) {
		memmove(seen, seen + sizeof(seen) / 4, seen_size - sizeof(seen) / 4);
		seen_size -= sizeof(seen) / 4;
	}
	got = read(person, seen + seen_size, sizeof(seen) - seen_size);
	if (got <= 0)
		return false;
	fwrite(seen + seen_size, 1, got, stdout);
	fflush(stdout);
	seen_size += got;
	return true;
}

static void look_after_command(void)
{
	int how;

	if (!command || waitpid(command, &how, WNOHANG) != command)
		return;
	command = 0;
	status = WIFSIGNALED(how) ? 128 + WTERMSIG(how) : WEXITSTATUS(how);
}

static bool has_seen(const char *text)
{
	size_t size = strlen(text);
	char *at = memmem(seen, seen_size, text, size);

	if (!at)
		return false;
	seen_size -= at + size - seen;
	memmove(seen, at + size, seen_size);
	return true;
}

static bool has_ended(const char *text)
{
	(void)text;
	return !command;
}

static void wait_until(bool (*is_so)(const char *text), const char *text, const char *step)
{
	time_t deadline = time(NULL) + PATIENCE;
	bool more;

	while (!is_so(text)) {
		if (time(NULL) > deadline)
			fail("waited too long for", step);
		look_after_command();
		more = take_output();
		if (!command && !more && !is_so(text))
			fail("the command ended before", step);
	}
}

static void type(const char *text, size_t size)
{
	if (write(person, text, size) != (ssize_t)size)
		fail("can't type", text);
}

/* The one who changes it tells who is on it, as a terminal's program does. */
static void set_size(const char *text)
{
	struct winsize size = { 0 };

	if (sscanf(text, "%hux%hu", &size.ws_row, &size.ws_col) != 2 ||
	    ioctl(person, TIOCSWINSZ, &size) < 0)
		fail("no such size", text);
}

static void do_step(char *step)
{
	char *text = step + strcspn(step, " ");
	size_t word = text - step;
	char key;

	text += *text == ' ';
	if (!strncmp(step, "see", word)) {
		wait_until(has_seen, text, step);
	} else if (!strncmp(step, "type", word)) {
		type(text, strlen(text));
		type("\r", 1);
	} else if (!strncmp(step, "press", word)) {
		key = toupper((unsigned char)*text) & 0x1f;
		type(&key, 1);
	} else if (!strncmp(step, "size", word)) {
		set_size(text);
	} else {
		fail("no such step", step);
	}
}

static void start(const char *size, char **arguments)
{
	if (openpty(&person, &terminal, NULL, NULL, NULL) < 0 || tcgetattr(terminal, &before) < 0)
		fail("there is no terminal", strerror(errno));
	set_size(size);
	command = fork();
	if (command < 0)
		fail("can't start a process", strerror(errno));
	if (command)
		return;
	close(person);
	if (!login_tty(terminal))
		execvp(*arguments, arguments);
	fprintf(stderr, "terminal: can't run '%s': %s\n", *arguments, strerror(errno));
	_exit(127);
}

int main(int argc, char **argv)
{
	struct termios after;
	char step[4096];

	if (argc < 3)
		fail("usage", "terminal ROWSxCOLUMNS COMMAND [ARGUMENT...] <STEPS");
	start(argv[1], argv + 2);
	while (fgets(step, sizeof(step), stdin)) {
		step[strcspn(step, "\n")] = '\0';
		do_step(step);
	}
	wait_until(has_ended, NULL, "its end");
	while (take_output())
		;
	if (tcgetattr(terminal, &after) < 0 || memcmp(&before, &after, sizeof(before))) {
		fprintf(stderr, "terminal: its modes are not what they were\n");
		return MODES_CHANGED;
	}
	return status;
}
