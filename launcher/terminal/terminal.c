// SPDX-License-Identifier: GPL-2.0-only
/*
 * The person's terminal, or whatever standard input and output are.
 *
 * While the guest runs, the terminal is raw, and each key goes to the guest unchanged. The
 * old settings come back whatever ends or stops us: at exit, and in a handler for each signal
 * that would end or stop us.
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
static atomic_bool raw;	/* lock-free: signal handlers may use it */
static atomic_int term_fd = -1;	/* terminal_pass_term() */

/* Keeps the output of the guest's early console and of its later one in order. */
static pthread_mutex_t output_lock = PTHREAD_MUTEX_INITIALIZER;
static int output_fd = STDOUT_FILENO;	/* -1: nowhere */
static bool detached;		/* see terminal_detach() */
static bool early_hidden;	/* see terminal_hide_early() */
static bool unseen;		/* the last output was not shown; under output_lock */
static bool output_gone;	/* nobody reads output_fd any more; under output_lock */
static char last_byte;		/* of the output; under output_lock */
static atomic_bool give_up;	/* terminal_give_up() */

/* The thread that holds output_lock and may wait in a write. */
static struct {
	pthread_mutex_t lock;
	bool is_there;
	pthread_t thread;
} writer = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* SIGUSR1 is among them until thread_take_wake_ups() gives it another meaning. */
static const int deadly_signals[] = {
	SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS,
	SIGALRM, SIGVTALRM, SIGPROF, SIGXCPU, SIGXFSZ, SIGUSR1, SIGUSR2, SIGIO, SIGPWR, SIGSTKFLT,
};

static void set_raw(bool on)
{
	raw = on;
	message_newline = on ? "\r\n" : "\n";
}

/* SA_RESETHAND has reset the handler: raise() now does what the signal does by default. */
static void on_deadly_signal(int signal)
{
	terminal_restore();
	raise(signal);
}

/* For signal handlers: keep errno, which the interrupted code may be about to read. */
static void set_if_raw(const struct termios *settings)
{
	int error = errno;

	if (raw)
		tcsetattr(STDIN_FILENO, TCSANOW, settings);
	errno = error;
}

/* Another program may have changed the terminal while we were stopped. */
static void on_continue(int signal)
{
	(void)signal;
	set_if_raw(&raw_settings);
}

/*
 * A raw terminal sends no SIGTSTP, so another process sent it. Stop by the default action:
 * the kernel ignores it where no shell could continue us.
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
	pthread_sigmask(SIG_UNBLOCK, &unblocked, NULL);	/* we stop here, until SIGCONT */
	sigaction(signal, &old, NULL);
	set_if_raw(&raw_settings);
}

/* Fill descriptors 0 to 2, so that no file that we open becomes one of them. */
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

/* A signal that our parent had ignored (nohup) stays ignored. */
static void handle(int signal, const struct sigaction *action)
{
	struct sigaction old;

	sigaction(signal, NULL, &old);
	if (old.sa_handler != SIG_IGN)
		sigaction(signal, action, NULL);
}

/**
 * terminal_init() - make sure that the terminal is restored whatever ends us
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
	/* If nobody reads our output any more, run on. */
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
 * terminal_raw() - give all keys to the guest from now on, if there is a terminal
 */
void terminal_raw(void)
{
	if (raw || detached || !isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &saved) < 0)
		return;
	raw_settings = saved;
	cfmakeraw(&raw_settings);
	raw_settings.c_cc[VMIN] = 1;
	raw_settings.c_cc[VTIME] = 0;
	set_raw(true);	/* first, for a signal may come before tcsetattr() returns */
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw_settings) < 0)
		set_raw(false);
	else
		detail("Ctrl-A x leaves, Ctrl-A Ctrl-A sends Ctrl-A");
}

/**
 * terminal_restore() - restore the terminal's settings; signal handlers may call this
 */
void terminal_restore(void)
{
	if (!raw)
		return;
	set_raw(false);
	/* TCSANOW: do not wait for a stopped terminal. */
	tcsetattr(STDIN_FILENO, TCSANOW, &saved);
}

/**
 * terminal_is_raw() - do all keys go to the guest now?
 *
 * Return: true between terminal_raw() and terminal_restore() on a terminal.
 */
bool terminal_is_raw(void)
{
	return raw;
}

/**
 * terminal_die() - restore the terminal and die of a signal; signal handlers may call this
 * @signal: a signal that ends programs
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

/* Pass the first SIGTERM to term_fd; the next one ends us. */
static void on_term(int signal)
{
	int fd = atomic_exchange(&term_fd, -1), error = errno;
	uint64_t one = 1;

	if (fd < 0 || write(fd, &one, sizeof(one)) < 0)
		terminal_die(signal);
	errno = error;
}

/**
 * terminal_pass_term() - let SIGTERM signal an eventfd instead of ending us
 * @fd: the eventfd; only the first SIGTERM signals it, the next one ends us; -1: each
 *      SIGTERM ends us from now on
 *
 * If our parent had ignored SIGTERM, it stays ignored.
 */
void terminal_pass_term(int fd)
{
	struct sigaction action = { .sa_handler = on_term, .sa_flags = SA_RESTART };

	term_fd = fd;
	handle(SIGTERM, &action);
}

/**
 * terminal_detach() - say that the guest's console is not this terminal
 * @output: takes what the guest prints, or -1; nobody can type on the console
 */
void terminal_detach(int output)
{
	detached = true;
	output_fd = output;
}

/**
 * terminal_hide_early() - do not show what the guest prints before it has a console
 *
 * recent_add() keeps it all the same, for the report on the guest's end.
 */
void terminal_hide_early(void)
{
	early_hidden = true;
}

/**
 * terminal_has_input() - can anybody type on the guest's console?
 *
 * Return: false after terminal_detach().
 */
bool terminal_has_input(void)
{
	return !detached;
}

/**
 * terminal_was_seen() - has the person seen what the guest printed last?
 *
 * Return: true if its output goes to a terminal, and the last of it was shown.
 */
bool terminal_was_seen(void)
{
	return !unseen && isatty(output_fd);
}

/**
 * terminal_size() - how big the guest's console is
 * @columns: receives its width; 0 if unknown
 * @rows: receives its height; 0 if unknown
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
 * terminal_filter() - take out the launcher's own keys, which are the same as QEMU's
 * @keys: remembers the state from call to call; all zero at first
 * @text: what was typed; only what is for the guest stays in it
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

/* Call with output_lock held. Waits until all is written, or until terminal_give_up(). */
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
			/* Another process that shares our output made it non-blocking. */
			poll(&output, 1, -1);
		} else if (done < 0 && errno != EINTR) {
			output_gone = true;
		}
	}
	set_writer(false);
}

/**
 * terminal_write() - write output of the guest unchanged
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
 * terminal_write_early() - write output of the guest from before it has a console
 * @text: the output; its lines end with "\n", as in the kernel
 * @size: its bytes
 *
 * A raw terminal needs "\r\n". The guest's terminal driver, which would turn "\n" into that,
 * does not run yet: do it here.
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
 * terminal_give_up() - do not wait for a reader that does not read
 * @yes: true: drop what can't be written, and wake the thread that waits in write();
 *       it may be just about to wait, so call this again until it has returned.
 *       false: a new guest starts, so wait again
 */
void terminal_give_up(bool yes)
{
	give_up = yes;
	pthread_mutex_lock(&writer.lock);
	if (yes && writer.is_there)
		pthread_kill(writer.thread, SIGUSR1);
	pthread_mutex_unlock(&writer.lock);
}
