// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first process of a guest of "lguest run": it makes the host's files its root, runs the
 * command there, carries the command's streams and end to the launcher, and switches the
 * power off.
 *
 * It is the only program of the guest's first file system, and so it is linked statically.
 *
 * A guest of Xen's ABI has hvc1 in place of a port of virtio's, and trans=xen.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "session/init/run_init.h"

#define ROOT_OPTIONS	"version=9p2000.L,msize=512000"

/* The most that a pipe holds unless root has raised the limit: see pipe(7). */
#define PIPE_MOST	(1U << 20)

/* The command could not be run: the same statuses as a shell's. */
#define EXIT_NOT_RUN	126
#define EXIT_NOT_FOUND	127

/* The command was not even tried: the status of lguest when no guest could be started. */
#define EXIT_NOT_STARTED	125

int port = -1;
bool is_xen;

static struct session_command command;
static char *texts;	/* that follow struct session_command */
static char *directory, **arguments, **variables;
static char **shares;	/* of each share its tag and its directory */

/* Our ends of the pipes that are the command's streams, or -1. */
static int in = -1, out = -1, err = -1;
static char input[SESSION_MAX_DATA];	/* for the command; input_done of input_size are written */
static size_t input_size, input_done;
static bool input_ended, wanted;

static void write_all(int fd, const void *from, size_t size)
{
	const char *at = from;

	while (size) {
		ssize_t done = write(fd, at, size);

		if (done < 0 && errno != EINTR)
			return;
		if (done > 0) {
			at += done;
			size -= done;
		}
	}
}

void send_frame(enum session_type type, const void *data, uint32_t length)
{
	static char message[sizeof(struct session_frame) + SESSION_MAX_DATA];
	struct session_frame frame = { type, length };

	memcpy(message, &frame, sizeof(frame));
	if (length)
		memcpy(message + sizeof(frame), data, length);
	write_all(port, message, sizeof(frame) + length);
}

static bool read_all(void *to, size_t size)
{
	char *at = to;

	while (size) {
		ssize_t got = read(port, at, size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		at += got;
		size -= got;
	}
	return true;
}

/* Power-off drops what is still in the port's queue: wait until the launcher has it all. */
static void finish(uint32_t status)
{
	struct session_frame frame;

	sync();
	send_frame(SESSION_EXIT, &status, sizeof(status));
	while (read_all(&frame, sizeof(frame)) && frame.type != SESSION_GOODBYE)
		if (frame.length > sizeof(input) || !read_all(input, frame.length))
			break;
	reboot(RB_POWER_OFF);
}

/* Without a port use the console; the panic that follows our exit makes the launcher show it. */
void die(const char *what)
{
	char text[256];
	int length = snprintf(text, sizeof(text), "lguest: the guest %s: %s\n", what,
			      strerror(errno));

	if (port >= 0) {
		send_frame(SESSION_STDERR, text, length);
		finish(EXIT_NOT_STARTED);
	}
	write_all(STDERR_FILENO, text, length);
	exit(1);
}

/* Return: the text at *at, which must end before @end; *at moves to the next one. */
static char *next_text(char **at, const char *end)
{
	char *text = *at;
	size_t length = strnlen(text, end - text);

	if (text + length >= end)
		die("gets a command that is cut off");
	*at = text + length + 1;
	return text;
}

static void read_command(void)
{
	struct session_frame frame;
	uint32_t i, size;
	char *at, *end;

	if (!read_all(&frame, sizeof(frame)) || frame.type != SESSION_COMMAND ||
	    frame.length < sizeof(command) || frame.length > SESSION_MAX_COMMAND ||
	    !read_all(&command, sizeof(command)))
		die("gets no command");
	size = frame.length - sizeof(command);
	texts = malloc(size);
	arguments = calloc(command.arguments + 2UL, sizeof(*arguments));
	variables = calloc(command.variables + 1UL, sizeof(*variables));
	shares = calloc(2UL * command.shares + 1, sizeof(*shares));
	if (!texts || !arguments || !variables || !shares || !read_all(texts, size))
		die("gets no command");
	at = texts;
	end = texts + size;
	directory = next_text(&at, end);
	for (i = 0; i < command.arguments; i++)
		arguments[i] = next_text(&at, end);
	for (i = 0; i < command.variables; i++)
		variables[i] = next_text(&at, end);
	for (i = 0; i < 2 * command.shares; i++)
		shares[i] = next_text(&at, end);
}

static void mount_or_die(const char *what, const char *where, const char *type,
			 unsigned long flags, const char *options, const char *failure)
{
	if (mount(what, where, type, flags, options) < 0)
		die(failure);
}

static void mount_9p(const char *tag, const char *where, unsigned long flags, const char *cache,
		     const char *failure)
{
	char options[100];

	snprintf(options, sizeof(options), "trans=%s," ROOT_OPTIONS ",cache=%s",
		 is_xen ? "xen" : "virtio", cache);
	mount_or_die(tag, where, "9p", flags, options, failure);
}

/* Mount the host's files; unless they are writable, mount an overlay for the guest's changes. */
static void make_root(void)
{
	const char *failure = is_xen ? "can't mount the host's files (CONFIG_9P_FS, CONFIG_NET_9P_XEN)" :
		"can't mount the host's files (CONFIG_9P_FS, CONFIG_NET_9P_VIRTIO)";

	mkdir("/host", 0755);
	mkdir("/root", 0755);
	if (command.writable) {
		mount_9p(SESSION_TAG, "/root", 0, "mmap", failure);
		return;
	}
	mount_9p(SESSION_TAG, "/host", MS_RDONLY, "loose", failure);
	mkdir("/changes", 0755);
	mount_or_die("tmpfs", "/changes", "tmpfs", 0, "mode=755", "can't mount a tmpfs (CONFIG_TMPFS)");
	mkdir("/changes/upper", 0755);
	mkdir("/changes/work", 0755);
	mount_or_die("overlay", "/root", "overlay", 0,
		     "lowerdir=/host,upperdir=/changes/upper,workdir=/changes/work",
		     "can't make its own changes (CONFIG_OVERLAY_FS)");
}

/* Mount what a system has. Ignore errors: the host may lack one of these directories. */
static void mount_system(void)
{
	mount("proc", "/root/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	mount("sysfs", "/root/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	mount("debugfs", "/root/sys/kernel/debug", "debugfs", MS_NOSUID, NULL);
	mount("devtmpfs", "/root/dev", "devtmpfs", MS_NOSUID, "mode=755");
	mkdir("/root/dev/pts", 0755);
	mkdir("/root/dev/shm", 01777);
	mount("devpts", "/root/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "gid=5,mode=620,ptmxmode=666");
	mount("tmpfs", "/root/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777");
	mount("tmpfs", "/root/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755");
	if (symlink("/proc/self/fd", "/root/dev/fd") < 0 ||
	    symlink("/proc/self/fd/0", "/root/dev/stdin") < 0 ||
	    symlink("/proc/self/fd/1", "/root/dev/stdout") < 0 ||
	    symlink("/proc/self/fd/2", "/root/dev/stderr") < 0)
		return;	/* they are there already */
}

/* The first file system can't be unmounted: move the new root over it. */
static void switch_root(void)
{
	if (chdir("/root") < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 ||
	    chdir("/") < 0)
		die("can't make the host's files its root");
}

/* Make the directories above a path. Ignore errors: what follows fails without them. */
static void make_parents(const char *path)
{
	char copy[4096], *slash;

	if (strlen(path) >= sizeof(copy))
		return;
	strcpy(copy, path);
	for (slash = copy; (slash = strchr(slash + 1, '/'));) {
		*slash = '\0';
		mkdir(copy, 0755);
		*slash = '/';
	}
}

/* Mount each share where it is on the host, over what the root has there. */
static void mount_shares(void)
{
	uint32_t i;

	for (i = 0; i < command.shares; i++) {
		const char *tag = shares[2 * i], *where = shares[2 * i + 1];

		make_parents(where);
		mkdir(where, 0755);
		mount_9p(tag, where, 0, "mmap", "can't mount a shared directory");
	}
}

static bool write_resolver(const char *path)
{
	static const char text[] = "nameserver " SESSION_RESOLVER "\n";
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd < 0)
		return false;
	write_all(fd, text, sizeof(text) - 1);
	close(fd);
	return true;
}

/*
 * The host's resolv.conf often names an address that only the host reaches. Do not change
 * that file even if the guest may write to it: mount our own over it. If it is a link, its
 * target usually lies below /run, which is an empty tmpfs in the guest: write our file there.
 */
static void set_resolver(void)
{
	static const char file[] = "/etc/resolv.conf", ours[] = "/run/lguest-resolv.conf";
	char target[4096], *run;
	ssize_t length;

	if (!command.network)
		return;
	if (!command.writable) {
		unlink(file);
		write_resolver(file);
		return;
	}
	if (write_resolver(ours) && !mount(ours, file, NULL, MS_BIND, NULL))
		return;
	length = readlink(file, target, sizeof(target) - 1);
	target[length > 0 ? length : 0] = '\0';
	run = strstr(target, "run/");
	if (!run || (run != target && run[-1] != '/'))
		return;
	memmove(target + 1, run, strlen(run) + 1);
	target[0] = '/';
	make_parents(target);
	write_resolver(target);
}

/* The console of a guest of Xen's ABI is not told how large its terminal is. */
static void set_size(int console)
{
	struct winsize size;

	if (ioctl(console, TIOCGWINSZ, &size) || size.ws_row || size.ws_col)
		return;
	size = (struct winsize) { .ws_row = command.rows, .ws_col = command.columns };
	ioctl(console, TIOCSWINSZ, &size);
}

/* Make a pipe for one of the command's descriptors, or open the console for it. */
static void make_stream(unsigned int descriptor, int *ours, int *its)
{
	int ends[2], console;

	if (command.terminal & 1U << descriptor) {
		console = open("/dev/hvc0", O_RDWR | O_NOCTTY | O_CLOEXEC);
		if (console < 0)
			die("has no console");
		set_size(console);
		*its = console;
		return;
	}
	if (pipe2(ends, O_CLOEXEC) < 0)
		die("can't make a pipe");
	*ours = ends[descriptor == STDIN_FILENO];
	*its = ends[descriptor != STDIN_FILENO];
	fcntl(*ours, F_SETFL, O_NONBLOCK);
	/* A small pipe: as far as possible, input that the command does not read stays unread. */
	if (descriptor == STDIN_FILENO)
		fcntl(*ours, F_SETPIPE_SZ, 4096);
}

static void become_user(void)
{
	gid_t groups[32];
	uint32_t i;

	for (i = 0; i < command.groups && i < 32; i++)
		groups[i] = command.group[i];
	if (setgroups(i, groups) < 0 || setgid(command.gid) < 0 || setuid(command.uid) < 0)
		_exit(EXIT_NOT_RUN);
}

static void run_command(const int *descriptors)
{
	sigset_t none;
	int i;

	setsid();
	for (i = 0; i < 3; i++)
		dup2(descriptors[i], i);
	if (command.terminal & 1)
		ioctl(STDIN_FILENO, TIOCSCTTY, 1);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (command.uid || command.gid)
		become_user();
	if (chdir(directory) < 0) {
		fprintf(stderr, "lguest: the guest has no directory '%s': %s\n", directory,
			strerror(errno));
		_exit(EXIT_NOT_RUN);
	}
	environ = variables;
	if (!arguments[0])
		arguments[0] = access("/bin/bash", X_OK) ? "/bin/sh" : "/bin/bash";
	execvp(arguments[0], arguments);
	fprintf(stderr, "lguest: can't run '%s': %s\n", arguments[0], strerror(errno));
	_exit(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_RUN);
}

static pid_t start_command(void)
{
	int descriptors[3], i;
	pid_t child;

	make_stream(STDIN_FILENO, &in, &descriptors[0]);
	make_stream(STDOUT_FILENO, &out, &descriptors[1]);
	make_stream(STDERR_FILENO, &err, &descriptors[2]);
	child = fork();
	if (child < 0)
		die("can't start a process");
	if (!child)
		run_command(descriptors);
	for (i = 0; i < 3; i++)
		close(descriptors[i]);
	return child;
}

static void close_stream(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Pass on what the command wrote. Return: how many bytes; 0: no more for now. */
static size_t take_output(int *fd, enum session_type type)
{
	static char data[SESSION_MAX_DATA];
	ssize_t got;

	if (*fd < 0)
		return 0;
	got = read(*fd, data, sizeof(data));
	if (got > 0)
		send_frame(type, data, got);
	else if (!got || (errno != EAGAIN && errno != EINTR))
		close_stream(fd);
	return got > 0 ? got : 0;
}

/*
 * Pass on what the command left in a pipe, but no more than a pipe holds: other processes
 * may have it open, and write for ever.
 */
static void take_rest(int *fd, enum session_type type)
{
	size_t got, all = 0;

	while (all < PIPE_MOST && (got = take_output(fd, type)))
		all += got;
}

/* The command has room for input: write what we have, or ask for more. */
static void give_input(void)
{
	ssize_t done = input_size > input_done ?
		       write(in, input + input_done, input_size - input_done) : 0;

	if (done < 0 && errno != EAGAIN && errno != EINTR) {
		close_stream(&in);	/* the command does not read any more */
		return;
	}
	if (done > 0)
		input_done += done;
	if (input_done < input_size)
		return;
	if (input_ended) {
		close_stream(&in);
	} else if (!wanted) {
		wanted = true;
		send_frame(SESSION_WANT, NULL, 0);
	}
}

static void take_frame(pid_t child)
{
	struct session_frame frame;
	uint32_t number = 0;

	if (!read_all(&frame, sizeof(frame)) || frame.length > sizeof(input)) {
		close_stream(&port);
		return;
	}
	switch (frame.type) {
	case SESSION_STDIN:
		wanted = false;
		input_done = 0;
		input_size = read_all(input, frame.length) ? frame.length : 0;
		return;
	case SESSION_STDIN_END:
		wanted = false;
		input_ended = true;
		return;
	}
	if (frame.length != sizeof(number) || !read_all(&number, sizeof(number)))
		return;
	if (frame.type == SESSION_SIGNAL && kill(-child, number) < 0)
		kill(child, number);	/* it has no group of its own yet */
	if (frame.type == SESSION_CLOSED)
		close_stream(number == STDOUT_FILENO ? &out : &err);
}

/* Wait for all processes that have ended. Return: true if the command is among them. */
static bool reap(pid_t child, int *status)
{
	bool ended = false;
	int how;
	pid_t pid;

	while ((pid = waitpid(-1, &how, WNOHANG)) > 0) {
		if (pid != child)
			continue;
		*status = WIFSIGNALED(how) ? 128 + WTERMSIG(how) : WEXITSTATUS(how);
		ended = true;
	}
	return ended;
}

static int carry(pid_t child, int children)
{
	struct signalfd_siginfo info;
	int status = 255;

	for (;;) {
		/* Poll for room unless we have no input and have asked for some already. */
		bool offer = in >= 0 && (!wanted || input_done < input_size || input_ended);
		struct pollfd wait[] = {
			{ .fd = children, .events = POLLIN },
			{ .fd = port, .events = POLLIN },
			{ .fd = out, .events = POLLIN },
			{ .fd = err, .events = POLLIN },
			{ .fd = offer ? in : -1, .events = POLLOUT },
		};

		if (poll(wait, 5, -1) < 0)
			continue;
		if (wait[1].revents)
			take_frame(child);
		if (wait[2].revents)
			take_output(&out, SESSION_STDOUT);
		if (wait[3].revents)
			take_output(&err, SESSION_STDERR);
		if (wait[4].revents && in >= 0)
			give_input();
		if (!wait[0].revents || read(children, &info, sizeof(info)) < 0)
			continue;
		if (reap(child, &status))
			break;
	}
	take_rest(&out, SESSION_STDOUT);
	take_rest(&err, SESSION_STDERR);
	return status;
}

int main(void)
{
	sigset_t signals;
	int children;
	pid_t child;

	mkdir("/dev", 0755);
	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	load_modules();
	open_port();
	read_command();
	make_root();
	mount_system();
	switch_root();
	mount_shares();
	set_resolver();
	start_loopback();
	if (is_xen && command.network)
		start_network(command.network - 1);
	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	children = signalfd(-1, &signals, SFD_CLOEXEC);
	if (children < 0)
		die("has no signalfd (CONFIG_SIGNALFD)");
	child = start_command();
	finish(carry(child, children));
	return 1;
}
