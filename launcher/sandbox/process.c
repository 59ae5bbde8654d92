// SPDX-License-Identifier: GPL-2.0-only
/*
 * The launcher's own processes. Code that parses a stranger's bytes and needs no guest memory
 * runs in one of them: an attacker who takes it over has a process with hardly any rights
 * (sandbox.c), not the launcher.
 *
 * These processes need no program file: they are forked from the launcher, before the guest
 * runs and without guest memory (MADV_DONTFORK). None outlives the launcher: when the launcher
 * ends, the socket hangs up, and the kernel kills a process that does not notice.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "base/file.h"
#include "base/message.h"
#include "sandbox/process.h"

/* process_stop() waits so long for a process to end: END_STEPS times END_STEP_MS. */
#define END_STEPS	30
#define END_STEP_MS	10

static int compare_fds(const void *one, const void *other)
{
	return *(const int *)one - *(const int *)other;
}

/* Close all descriptors but the standard ones and those in @keep. */
static void close_others(int *keep, unsigned int kept)
{
	unsigned int from = STDERR_FILENO + 1, i;

	qsort(keep, kept, sizeof(*keep), compare_fds);
	for (i = 0; i < kept; i++) {
		if ((unsigned int)keep[i] > from)
			close_range(from, keep[i] - 1, 0);
		if ((unsigned int)keep[i] >= from)
			from = keep[i] + 1;
	}
	close_range(from, ~0U, 0);
}

/* Keep standard error where a sanitizer reports its findings there. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LAST_TO_LEAVE	STDOUT_FILENO
#else
#define LAST_TO_LEAVE	STDERR_FILENO
#endif

/* Only the launcher uses the terminal: replace the standard descriptors. */
static void leave_terminal(void)
{
	int null = open("/dev/null", O_RDWR), i;

	for (i = STDIN_FILENO; i <= LAST_TO_LEAVE; i++)
		if (null < 0 || dup2(null, i) < 0)
			close(i);
}

static void say_nothing(const char *line)
{
	(void)line;
}

static void be_process(const struct process *process, pid_t parent, int socket,
		       const int *keep, unsigned int kept)
{
	int fds[1 + PROCESS_MAX_PASSED] = { socket };
	sigset_t all;
	unsigned int i;

	prctl(PR_SET_NAME, process->name);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	/* A terminal or a service manager signals all processes: only the launcher acts on that. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	message_forked(say_nothing);
	leave_terminal();
	for (i = 0; i < kept; i++)
		fds[1 + i] = keep[i];
	close_others(fds, 1 + kept);
}

/**
 * process_start() - start a process
 * @process: filled in; process_stop() it
 * @name: its name
 * @run: what it does
 * @argument: for @run, in the process's copy of our memory
 * @keep: descriptors that it keeps, with the same numbers, beside its end of the socket
 * @kept: how many, at most PROCESS_MAX_PASSED
 *
 * A few threads may run by now: a command's (session.c), or one that speaks to a disk's
 * program (vhost_user.c). The process does not get these threads, but a copy of each lock that
 * they may hold. The C library releases those of malloc() and stdio, and message_forked()
 * resets that of messages. @run must take no other lock that these threads take.
 *
 * Return: 0, or a negative errno after telling the person.
 */
int process_start(struct process *process, const char *name, process_run *run, void *argument,
		  const int *keep, unsigned int kept)
{
	pid_t parent = getpid();
	int ends[2];

	*process = (struct process){ .name = name, .pidfd = -1, .socket = -1 };
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return refuse(-errno, "can't make a socket: %s", strerror(errno));
	process->pid = fork();
	if (!process->pid) {
		be_process(process, parent, ends[1], keep, kept);
		run(ends[1], argument);
		_exit(EXIT_SUCCESS);
	}
	close(ends[1]);
	process->socket = ends[0];
	if (process->pid < 0) {
		process->pid = 0;
		file_close(&process->socket);
		return refuse(-errno, "can't start a process: %s", strerror(errno));
	}
	/* Nobody has waited for the child yet, so its pid can't be another process's. */
	process->pidfd = syscall(SYS_pidfd_open, process->pid, 0);
	if (process->pidfd < 0) {
		int error = refuse(-errno, "can't watch a process: %s", strerror(errno));

		process_stop(process);
		return error;
	}
	return 0;
}

/**
 * process_stop() - end a process
 * @process: from process_start(), or all zero
 *
 * A process that waits for a file system that does not answer can't be killed until then: wait
 * for its end a moment, then leave it to itself.
 */
void process_stop(struct process *process)
{
	int i;

	if (!process->pid)
		return;
	file_close(&process->socket);
	if (process->pidfd < 0 || syscall(SYS_pidfd_send_signal, process->pidfd, SIGKILL, NULL, 0))
		kill(process->pid, SIGKILL);
	for (i = 0; i < END_STEPS; i++) {
		if (waitpid(process->pid, NULL, WNOHANG))
			break;
		poll(NULL, 0, END_STEP_MS);
	}
	file_close(&process->pidfd);
	process->pid = 0;
}

/**
 * process_has_ended() - has a process ended?
 * @process: from process_start()
 */
bool process_has_ended(const struct process *process)
{
	struct pollfd fd = { .fd = process->pidfd, .events = POLLIN };

	return poll(&fd, 1, 0) > 0;
}

/**
 * process_send() - send a message
 * @socket: one end of a process's socket
 * @data: the message
 * @size: its bytes
 * @fds: descriptors to send with it
 * @count: how many, at most PROCESS_MAX_PASSED
 *
 * Waits until the message is in the other side's queue, unless the socket is non-blocking.
 *
 * Return: 0, or a negative errno.
 */
int process_send(int socket, const void *data, size_t size, const int *fds, unsigned int count)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(PROCESS_MAX_PASSED * sizeof(int))] = { 0 };
	struct iovec iov = { (void *)data, size };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *header;
	ssize_t sent;

	if (count) {
		message.msg_control = control;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(header), fds, count * sizeof(int));
	}
	do
		sent = sendmsg(socket, &message, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

/* Take the descriptors of a message; close those that there is no room for. */
static void take_fds(struct msghdr *message, int *fds, unsigned int *count)
{
	unsigned int room = count ? *count : 0, taken = 0, i;
	struct cmsghdr *header;

	for (header = CMSG_FIRSTHDR(message); header; header = CMSG_NXTHDR(message, header)) {
		unsigned int passed = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		int fd;

		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
			continue;
		for (i = 0; i < passed; i++) {
			memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(fd));
			if (taken < room)
				fds[taken++] = fd;
			else
				close(fd);
		}
	}
	if (count)
		*count = taken;
}

/**
 * process_receive() - wait for a message
 * @socket: one end of a process's socket
 * @data: receives the message
 * @room: bytes of room there
 * @fds: receives the descriptors that came with it, which the caller closes
 * @count: in: room in @fds; out: how many came; NULL: take none
 *
 * Return: the message's bytes; 0: the other side is gone; or a negative errno.
 */
ssize_t process_receive(int socket, void *data, size_t room, int *fds, unsigned int *count)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(PROCESS_MAX_PASSED * sizeof(int))];
	struct iovec iov = { data, room };
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	ssize_t got;

	do
		got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == ECONNRESET ? 0 : -errno;
	take_fds(&message, fds, count);
	return got;
}

/**
 * process_receive_until() - wait for a message, but not for ever
 * @socket: one end of a process's socket
 * @until: the time, by now_ms(), from which -ETIMEDOUT is returned, whatever has come
 * @data: receives the message
 * @room: bytes of room there
 * @fds: as for process_receive()
 * @count: as for process_receive()
 *
 * Return: the message's bytes; 0: the other side is gone; -ETIMEDOUT; or another negative
 * errno.
 */
ssize_t process_receive_until(int socket, int64_t until, void *data, size_t room, int *fds,
			      unsigned int *count)
{
	struct pollfd input = { .fd = socket, .events = POLLIN };
	int ready;

	do {
		int64_t left = until - now_ms();

		if (left <= 0)
			return -ETIMEDOUT;
		ready = poll(&input, 1, left);
	} while (ready < 0 && errno == EINTR);
	if (ready <= 0)
		return ready < 0 ? -errno : -ETIMEDOUT;
	return process_receive(socket, data, room, fds, count);
}

/**
 * process_receive_answer() - wait for an answer, and say the lines that come before it
 * @socket: a process's
 * @until: how long to wait, by now_ms()
 * @answer: its lines and what it points to are filled in
 *
 * Return: 0; -EPIPE: the process is gone; -ETIMEDOUT; or -EPROTO: it has too many lines.
 */
int process_receive_answer(int socket, int64_t until, struct process_answer *answer)
{
	unsigned int count, i;
	ssize_t size;

	for (answer->lines = 0; ; answer->lines++) {
		count = answer->fds;
		for (i = 0; i < answer->fds; i++)
			answer->fd[i] = -1;
		size = process_receive_until(socket, until, answer->to, answer->room, answer->fd,
					     &count);
		if (size == (ssize_t)answer->size)
			return 0;
		for (i = 0; i < answer->fds; i++)
			file_close(&answer->fd[i]);
		if (size <= 0)
			return size == -ETIMEDOUT ? -ETIMEDOUT : -EPIPE;
		if (answer->lines == answer->most)
			return -EPROTO;
		message_plain(answer->to, size);
		message("%.*s", (int)size, (char *)answer->to);
	}
}
