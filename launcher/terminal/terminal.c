// SPDX-License-Identifier: GPL-2.0-only
/*
 * The person's terminal, or whatever standard input and output are.
 *
 * While the Guest runs, each key goes to it as it is (raw mode); on every way
 * out the terminal becomes what it was: at exit, and in a handler for each
 * signal that would end us, or stop us.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/message.h"
#include "terminal/recent.h"
#include "terminal/terminal.h"

#define CTRL_A	0x01

static struct termios saved, raw_settings;
static atomic_bool raw;	/* lock-free, so fit for signal handlers */
static atomic_int term_fd = -1;	/* terminal_pass_term() */

/* Keeps the output of the Guest's two consoles in order. */
static pthread_mutex_t output_lock = PTHREAD_MUTEX_INITIALIZER;
static int output_fd = STDOUT_FILENO;	/* -1: nowhere */
static bool detached;		/* see terminal_detach() */
static bool early_hidden;	/* see terminal_hide_early() */
static bool unseen;		/* what came last is not on the terminal; under output_lock */
static bool output_gone;	/* nobody reads it any more; under output_lock */
static char last_byte;		/* of the output; under output_lock */
static atomic_bool give_up;	/* terminal_give_up() */

/* The thread that holds output_lock and may wait in a write. */
static struct {
	pthread_mutex_t lock;
	bool is_there;
	pthread_t thread;
} writer = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* SIGUSR1 wakes threads (thread_take_wake_ups()) when there are any; before, it ends us, too. */
static const int deadly_signals[] = {
	SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS,
	SIGALRM, SIGVTALRM, SIGPROF, SIGXCPU, SIGXFSZ, SIGUSR1, SIGUSR2, SIGIO, SIGPWR, SIGSTKFLT,
};

static void set_raw(bool on)
{
	raw = on;
	message_newline = on ? "\r\n" : "\n";
}

/* SA_RESETHAND was set: the signal now does what it does to any program. */
static void on_deadly_signal(int signal)
{
	terminal_restore();
	raise(signal);
}

/* For signal handlers: whom they interrupt may be about to look at errno. */
static void set_if_raw(const struct termios *settings)
{
	int error = errno;

	if (raw)
		tcsetattr(STDIN_FILENO, TCSANOW, settings);
	errno = error;
}

/* Whoever had the terminal while we were stopped may have changed it. */
static void on_continue(int signal)
{
	(void)signal;
	set_if_raw(&raw_settings);
}

/*
 * As a raw terminal gives no SIGTSTP, somebody sent it. It stops us as it does any program:
 * not if no shell is there that could let us go on.
 */
static void on_stop(int signal)
{
	struct sigaction stop = { .sa_handler = SIG_DFL }, old;
	sigset_t unblocked;

	set_if_raw(&saved);
	sigaction(signal, &stop, &old);
	raise(signal);
	sigemptyset(&unblocked);
	sigaddset(&unblocked, signal);
	pthread_sigmask(SIG_UNBLOCK, &unblocked, NULL);	/* here we stop, until SIGCONT */
	sigaction(signal, &old, NULL);
	set_if_raw(&raw_settings);
}

/* Files that we open must not become standard input, output or error. */
static int open_standard_files(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
		if (fd < 0)
			return -errno;
	} while (fd <= STDERR_FILENO);
	close(fd);
	return 0;
}

/* What was ignored before us (nohup) stays ignored. */
static void handle(int signal, const struct sigaction *action)
{
	struct sigaction old;

	sigaction(signal, NULL, &old);
	if (old.sa_handler != SIG_IGN)
		sigaction(signal, action, NULL);
}

/**
 * terminal_init() - be ready for every way out
 *
 * Return: 0, or a negative errno after telling the person.
 */
int terminal_init(void)
{
	struct sigaction action = { .sa_handler = on_deadly_signal, .sa_flags = SA_RESETHAND };
	struct sigaction proceed = { .sa_handler = on_continue, .sa_flags = SA_RESTART };
	struct sigaction stop = { .sa_handler = on_stop, .sa_flags = SA_RESTART };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	int error, signal;
	size_t i;

	error = open_standard_files();
	if (error)
		return refuse(error, "can't open /dev/null");
	/* Output that nobody reads is no reason to stop. */
	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGCONT, &proceed, NULL);
	handle(SIGTSTP, &stop);
	for (i = 0; i < ARRAY_SIZE(deadly_signals); i++)
		handle(deadly_signals[i], &action);
	for (signal = SIGRTMIN; signal <= SIGRTMAX; signal++)
		handle(signal, &action);
	atexit(terminal_restore);
	return 0;
}

/**
 * terminal_raw() - from now on all keys are the Guest's, if there is a keyboard
 */
void terminal_raw(void)
{
	if (raw || detached || !isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &saved) < 0)
		return;
	raw_settings = saved;
	cfmakeraw(&raw_settings);
	raw_settings.c_cc[VMIN] = 1;
	raw_settings.c_cc[VTIME] = 0;
	set_raw(true);	/* before it is so: a signal may come in between */
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw_settings) < 0)
		set_raw(false);
	else
		detail("Ctrl-A x leaves, Ctrl-A Ctrl-A sends Ctrl-A");
}

/**
 * terminal_restore() - give the terminal back; fit for signal handlers
 */
void terminal_restore(void)
{
	if (!raw)
		return;
	set_raw(false);
	/* TCSANOW: a stopped terminal must not hold us up. */
	tcsetattr(STDIN_FILENO, TCSANOW, &saved);
}

/**
 * terminal_is_raw() - are all keys the Guest's now?
 *
 * Return: true between terminal_raw() and terminal_restore() on a terminal.
 */
bool terminal_is_raw(void)
{
	return raw;
}

/**
 * terminal_die() - die of a signal; fit for signal handlers
 * @signal: one that ends programs
 */
void terminal_die(int signal)
{
	struct sigaction deadly = { .sa_handler = SIG_DFL };
	sigset_t unblocked;

	terminal_restore();
	sigaction(signal, &deadly, NULL);
	sigemptyset(&unblocked);
	sigaddset(&unblocked, signal);
	pthread_sigmask(SIG_UNBLOCK, &unblocked, NULL);
	raise(signal);
}

/* The first one is somebody else's to know of, the next one ends us. */
static void on_term(int signal)
{
	int fd = atomic_exchange(&term_fd, -1), error = errno;
	uint64_t one = 1;

	if (fd < 0 || write(fd, &one, sizeof(one)) < 0)
		terminal_die(signal);
	errno = error;
}

/**
 * terminal_pass_term() - whoever waits for it hears of SIGTERM, and it does not end us
 * @fd: eventfd, for the first one; -1: from now on each one ends us
 *
 * What was ignored before us stays ignored.
 */
void terminal_pass_term(int fd)
{
	struct sigaction action = { .sa_handler = on_term, .sa_flags = SA_RESTART };

	term_fd = fd;
	handle(SIGTERM, &action);
}

/**
 * terminal_detach() - the Guest's console is not this terminal
 * @output: where what it prints goes, or -1; nobody types there
 */
void terminal_detach(int output)
{
	detached = true;
	output_fd = output;
}

/**
 * terminal_hide_early() - what the Guest prints before it has a console is not shown
 *
 * It is remembered all the same, for the report on its end.
 */
void terminal_hide_early(void)
{
	early_hidden = true;
}

/**
 * terminal_has_input() - can anybody type on the Guest's console?
 *
 * Return: false after terminal_detach().
 */
bool terminal_has_input(void)
{
	return !detached;
}

/**
 * terminal_was_seen() - has the person seen what the Guest printed last?
 *
 * Return: true if its output goes to a terminal, and this did, too.
 */
bool terminal_was_seen(void)
{
	return !unseen && isatty(output_fd);
}

/**
 * terminal_size() - how big the Guest's console is
 * @columns: goes there; 0 if unknown
 * @rows: goes there; 0 if unknown
 */
void terminal_size(uint16_t *columns, uint16_t *rows)
{
	struct winsize size = { 0 };

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		ioctl(STDIN_FILENO, TIOCGWINSZ, &size);
	*columns = size.ws_col;
	*rows = size.ws_row;
}

/**
 * terminal_filter() - take out the Launcher's own keys, as QEMU has them
 * @keys: what is remembered from call to call; all zero at first
 * @text: what was typed; what is the Guest's stays in it
 * @size: bytes in @text
 *
 * Return: bytes left in @text.
 */
size_t terminal_filter(struct terminal_keys *keys, uint8_t *text, size_t size)
{
	size_t from, to = 0;

	for (from = 0; from < size; from++) {
		uint8_t key = text[from];

		if (!keys->escaped) {
			if (key == CTRL_A)
				keys->escaped = true;
			else
				text[to++] = key;
			continue;
		}
		keys->escaped = false;
		if (key == CTRL_A)
			text[to++] = key;
		else if (key == 'x' || key == 'X')
			keys->leave = true;
	}
	return to;
}

static void set_writer(bool is_there)
{
	pthread_mutex_lock(&writer.lock);
	writer.is_there = is_there;
	writer.thread = pthread_self();
	pthread_mutex_unlock(&writer.lock);
}

/* Under output_lock. Waits as long as it takes, or until terminal_give_up(). */
static void write_all(const char *text, size_t size)
{
	struct pollfd output = { .fd = output_fd, .events = POLLOUT };

	recent_add(text, size);
	set_writer(true);
	while (size && output_fd >= 0 && !output_gone && !give_up) {
		ssize_t done = write(output_fd, text, size);

		if (done > 0) {
			text += done;
			size -= done;
			last_byte = text[-1];
		} else if (done < 0 && errno == EAGAIN) {
			/* Whoever shares our output made it non-blocking. */
			poll(&output, 1, -1);
		} else if (done < 0 && errno != EINTR) {
			output_gone = true;
		}
	}
	set_writer(false);
}

/**
 * terminal_write() - output of the Guest, each byte as it is
 * @text: the output
 * @size: its bytes
 */
void terminal_write(const void *text, size_t size)
{
	pthread_mutex_lock(&output_lock);
	unseen = false;
	write_all(text, size);
	pthread_mutex_unlock(&output_lock);
}

/**
 * terminal_write_early() - output of the Guest before it has a console
 * @text: the output, lines as the kernel has them
 * @size: its bytes
 *
 * The Guest's terminal driver, which would turn "\n" into "\r\n", does not run
 * yet; a raw terminal needs both.
 */
void terminal_write_early(const char *text, size_t size)
{
	pthread_mutex_lock(&output_lock);
	if (early_hidden) {
		unseen = true;
		recent_add(text, size);
		size = 0;
	}
	while (size) {
		const char *newline = terminal_is_raw() ? memchr(text, '\n', size) : NULL;
		size_t part = newline ? (size_t)(newline - text) : size;

		write_all(text, part);
		if (newline) {
			bool has_return = part ? newline[-1] == '\r' : last_byte == '\r';

			write_all(has_return ? "\n" : "\r\n", has_return ? 1 : 2);
			part++;
		}
		text += part;
		size -= part;
	}
	pthread_mutex_unlock(&output_lock);
}

/**
 * terminal_give_up() - do not wait for a reader who does not read
 * @yes: true: drop what can't be written, and wake the thread that waits in a
 *       write; it may just be about to, so call this until it is out.
 *       false: a new Guest starts, wait again
 */
void terminal_give_up(bool yes)
{
	give_up = yes;
	pthread_mutex_lock(&writer.lock);
	if (yes && writer.is_there)
		pthread_kill(writer.thread, SIGUSR1);
	pthread_mutex_unlock(&writer.lock);
}
