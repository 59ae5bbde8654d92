// SPDX-License-Identifier: GPL-2.0-only
/*
 * The program in a Guest that does as it is told from outside. Distributions have one,
 * QEMU's guest agent, which their udev starts where a virtio port has its name; so the
 * port's name and the words on it are QEMU's (its "Guest Agent Protocol Reference").
 *
 * It is told and not listened to: what comes from there is a Guest's, and nothing that
 * we ask for has an answer that we need.
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
 * agent_init() - make the port where the Guest's agent is told what to do
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
	/* The port finds nobody that reads, and throws away what the Guest writes. */
	shutdown(agent->fd, SHUT_RD);
	port = virtio_console_add_socket(console, PORT_NAME, ends[1]);
	close(ends[1]);
	if (port < 0)
		return port;
	agent->port = port;
	return 0;
}

/**
 * agent_power_down() - have the Guest switch itself off
 * @agent: of a Guest that runs
 *
 * Return: 0 when it is told, -ENODEV: it has no port for an agent; -ENOTCONN: no program
 * of the Guest has the port open; -EAGAIN: it does not read what it was told before.
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
 * agent_exit() - give back what agent_init() took, but for the port
 * @agent: nobody uses it any more
 */
void agent_exit(struct agent *agent)
{
	if (agent->console)
		close(agent->fd);
	agent->console = NULL;
}
