// SPDX-License-Identifier: GPL-2.0-only
/*
 * The program in a guest that does what it is told from outside: QEMU's guest agent.
 * Distributions have it, and their udev starts it where a virtio port has its name. So the name
 * of the port and the words on it are QEMU's (its "Guest Agent Protocol Reference").
 *
 * The agent is told, but never listened to: its words come from a guest, and we need no answer
 * to anything that we ask for.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent.h"
#include "base/message.h"
#include "virtio/virtio.h"

#define PORT_NAME	"org.qemu.guest_agent.0"
#define POWER_DOWN	"{\"execute\":\"guest-shutdown\",\"arguments\":{\"mode\":\"powerdown\"}}\n"

/**
 * agent_init() - make the port where the guest's agent is told what to do
 * @agent: filled in; agent_exit() it, whatever is returned
 * @console: gets one more port
 *
 * Return: 0, or a negative errno after telling the person.
 */
int agent_init(struct agent *agent, struct virtio_device *console)
{
	int ends[2], port;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return refuse(-errno, "can't make a socket for the guest's agent: %s", strerror(errno));
	agent->fd = ends[0];
	agent->console = console;
	/* To the port nobody reads here: it throws away what the guest writes. */
	shutdown(agent->fd, SHUT_RD);
	port = virtio_console_add_socket(console, PORT_NAME, ends[1]);
	close(ends[1]);
	if (port < 0)
		return port;
	agent->port = port;
	return 0;
}

/**
 * agent_power_down() - have the guest switch itself off
 * @agent: of a guest that runs
 *
 * Return: 0: the agent is told; -ENODEV: the guest has no port for an agent; -ENOTCONN: no
 * program of the guest has the port open; -EAGAIN: the agent has not read what it was told
 * before.
 */
int agent_power_down(struct agent *agent)
{
	if (!agent->console)
		return -ENODEV;
	if (!virtio_console_port_is_open(agent->console, agent->port))
		return -ENOTCONN;
	if (send(agent->fd, POWER_DOWN, strlen(POWER_DOWN), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return -EAGAIN;
	return 0;
}

/**
 * agent_exit() - give back what agent_init() took, except the port
 * @agent: nobody uses it any more
 */
void agent_exit(struct agent *agent)
{
	if (agent->console)
		close(agent->fd);
	agent->console = NULL;
}
