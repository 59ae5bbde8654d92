/* SPDX-License-Identifier: GPL-2.0-only */
/* The launcher's own processes, for work that is better kept apart from the guest. */
#ifndef _LAUNCHER_PROCESS_H
#define _LAUNCHER_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Descriptors in one message, at most. */
#define PROCESS_MAX_PASSED	4

struct process {
	const char *name;	/* what ps shows: at most 15 characters */
	pid_t pid;		/* 0: there is none */
	int pidfd;		/* readable once it has ended */
	int socket;		/* SOCK_SEQPACKET, connected to the process */
};

/*
 * What a process does; the process ends when this returns. @socket is its end of the socket.
 */
typedef void process_run(int socket, void *argument);

int process_start(struct process *process, const char *name, process_run *run, void *argument,
		  const int *keep, unsigned int kept);
void process_stop(struct process *process);
bool process_has_ended(const struct process *process);
int process_send(int socket, const void *data, size_t size, const int *fds, unsigned int count);
ssize_t process_receive(int socket, void *data, size_t room, int *fds, unsigned int *count);
ssize_t process_receive_until(int socket, int64_t until, void *data, size_t room, int *fds,
			      unsigned int *count);

/* What a process has to say to a question: lines for the person, and then the answer. */
struct process_answer {
	void *to;		/* each message is written here, the answer last */
	size_t room;		/* bytes there */
	size_t size;		/* of the answer: any other message is a line */
	int *fd;		/* the answer's descriptors, or -1, go there: */
	unsigned int fds;	/* so many at most, which may be none */
	unsigned int most;	/* lines that may come */
	unsigned int lines;	/* lines that have come */
};

int process_receive_answer(int socket, int64_t until, struct process_answer *answer);

#endif /* _LAUNCHER_PROCESS_H */
