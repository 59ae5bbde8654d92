// SPDX-License-Identifier: GPL-2.0-only
/*
 * A network as a process of its own. Between the process and the card is a cable like that of
 * socket.c: each message is a packet with its header.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/message.h"
#include "net/process.h"

#define MOST_AT_ONCE	64	/* packets, before the other queue has its turn */
#define SOCKET_BUFFER	(1 << 20)

/* The first messages are lines for the person, if the process can't start; or this. */
#define READY		"ready"
#define LINE_ROOM	1024
#define MAX_LINES	16

int net_process_limit_ms = 30 * 1000;

struct back_end {
	struct process process;
	bool gone;
	bool blocked;		/* the process takes no packets now */
	int index;		/* in struct net_poll */
	uint8_t packet[NET_MAX_PACKET];
};

/**
 * net_process_refused() - say why the process can't start
 * @socket: the process's end
 * @line: for the person
 */
void net_process_refused(int socket, const char *line)
{
	process_send(socket, line, strlen(line), NULL, 0);
}

/**
 * net_process_ready() - say that packets can come
 * @socket: the process's end
 */
void net_process_ready(int socket)
{
	int size = SOCKET_BUFFER;

	setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	process_send(socket, READY, strlen(READY), NULL, 0);
}

/* Wait until the process is ready. Return: 0, or a negative errno after telling the person. */
static int wait_until_ready(struct back_end *back)
{
	char line[LINE_ROOM];
	struct process_answer answer = {
		.to = line,
		.room = sizeof(line),
		.size = strlen(READY),
		.most = MAX_LINES,
	};
	int error = process_receive_answer(back->process.socket, now_ms() + net_process_limit_ms,
					   &answer);

	if (!error && !memcmp(line, READY, strlen(READY)))
		return 0;
	if (error == -ETIMEDOUT)
		return refuse(error, "the process of the guest's network is not ready after %d s",
			      net_process_limit_ms / 1000);
	return answer.lines ? -EINVAL :
			      refuse(-EPIPE, "the process of the guest's network does not start");
}

/**
 * net_process_start() - start the process
 * @net: the network
 * @name: the name of the process
 * @run: what the process does; it tells the launcher how its start went
 * @argument: for @run
 *
 * Return: 0, or a negative errno after telling the person; net_process_exit() it anyway.
 */
int net_process_start(struct net *net, const char *name, process_run *run, void *argument)
{
	struct back_end *back = calloc(1, sizeof(*back));
	int size = SOCKET_BUFFER, error;

	if (!back)
		return no_memory();
	net->private = back;
	error = process_start(&back->process, name, run, argument, NULL, 0);
	if (error)
		return error;
	setsockopt(back->process.socket, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return wait_until_ready(back);
}

void net_process_prepare(struct net *net, struct net_poll *poll)
{
	struct back_end *back = net->private;

	back->index = -1;
	if (!back->gone)
		back->index = net_poll_add(poll, back->process.socket, (net->first ? 0 : POLLIN) |
					   (back->blocked ? POLLOUT : 0));
}

static void lose(struct net *net, struct back_end *back)
{
	message("the process of the guest's network has ended: the guest has no network any more");
	back->gone = true;
	process_stop(&back->process);
	net_set_link(net, false);
}

void net_process_receive(struct net *net, const struct net_poll *poll)
{
	struct back_end *back = net->private;
	short events = net_poll_events(poll, back->index);
	ssize_t size;
	int i;

	if (!(events & ~POLLOUT))
		return;
	for (i = 0; i < MOST_AT_ONCE && (!net->first || (events & (POLLHUP | POLLERR))); i++) {
		size = recv(back->process.socket, back->packet, sizeof(back->packet), MSG_DONTWAIT);
		if (size < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (size <= 0) {
			lose(net, back);
			return;
		}
		net_receive(net, back->packet, size);
	}
}

bool net_process_send(struct net *net, struct iovec *iov, unsigned int count)
{
	struct back_end *back = net->private;
	struct msghdr packet = { .msg_iov = iov, .msg_iovlen = count };

	back->blocked = !back->gone &&
			sendmsg(back->process.socket, &packet, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
			errno == EAGAIN;
	return !back->blocked;
}

void net_process_exit(struct net *net)
{
	struct back_end *back = net->private;

	if (!back)
		return;
	process_stop(&back->process);
	free(back);
}
