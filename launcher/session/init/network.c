// SPDX-License-Identifier: GPL-2.0-only
/*
 * The addresses of the guest. A guest of lguest's ABI asks for that of its card itself (ip=dhcp);
 * a distribution's kernel can't, and would come too early: the card's driver is a module.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <net/route.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "session/init/run_init.h"

void start_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	ioctl(fd, SIOCSIFFLAGS, &request);
	close(fd);
}

static void put_address(struct sockaddr *to, const char *text)
{
	struct sockaddr_in address = { .sin_family = AF_INET };

	inet_pton(AF_INET, text, &address.sin_addr);
	memcpy(to, &address, sizeof(address));
}

/* The driver adds a card some time after it is loaded. */
static int set_address(int fd, struct ifreq *request)
{
	int tries;

	put_address(&request->ifr_addr, SESSION_ADDRESS);
	for (tries = 0; tries < 1000; tries++) {
		if (!ioctl(fd, SIOCSIFADDR, request))
			return 0;
		if (errno != ENODEV)
			break;
		usleep(10000);
	}
	return -1;
}

static int set_rest(int fd, struct ifreq *request)
{
	struct rtentry route = { .rt_flags = RTF_UP | RTF_GATEWAY };

	put_address(&request->ifr_netmask, SESSION_MASK);
	if (ioctl(fd, SIOCSIFNETMASK, request) < 0)
		return -1;
	request->ifr_flags = IFF_UP | IFF_RUNNING;
	if (ioctl(fd, SIOCSIFFLAGS, request) < 0)
		return -1;
	put_address(&route.rt_dst, "0.0.0.0");
	put_address(&route.rt_genmask, "0.0.0.0");
	put_address(&route.rt_gateway, SESSION_GATEWAY);
	return ioctl(fd, SIOCADDRT, &route);
}

/* The card has the one address that our user network gives. */
void start_network(unsigned int card)
{
	struct ifreq request = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(request.ifr_name, sizeof(request.ifr_name), "eth%u", card);
	if (fd < 0 || set_address(fd, &request) < 0 || set_rest(fd, &request) < 0)
		die("can't set its network's address (CONFIG_XEN_NETDEV_FRONTEND)");
	close(fd);
}
