// SPDX-License-Identifier: GPL-2.0-only
/*
 * A network device of the host: what the guest sends comes out of a tap device, and what the
 * host sends there comes to the guest. The host's kernel knows the header of packets, so it can
 * leave checksums and segments to the guest, or take them over from it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/message.h"
#include "base/value.h"
#include "net/net.h"

#define TUN		"/dev/net/tun"
#define MOST_AT_ONCE	64	/* packets, before the other queue has its turn */

struct tap {
	int fd;
	int index;			/* in struct net_poll */
	struct ifreq device;		/* the request with its name */
	uint8_t packet[NET_MAX_PACKET];
};

static int refuse_tun(int error)
{
	switch (error) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return refuse(-error, "there is no " TUN " for a tap device: sudo modprobe tun, or say --net=user");
	case EACCES:
	case EPERM:
		return refuse(-error, "no permission to open " TUN ": run lguest as root, or say --net=user");
	default:
		return refuse(-error, "can't open " TUN ": %s", strerror(error));
	}
}

static int refuse_tap(const char *name, int error)
{
	switch (error) {
	case EPERM:
		return refuse(-error,
			      "no permission to use the tap device '%s': run lguest as root, or let root make it yours: ip tuntap add %s mode tap user $USER",
			      name, name);
	case EBUSY:
		return refuse(-error, "the tap device '%s' is in use: choose another name", name);
	case EINVAL:
		return refuse(-error, "'%s' can't be a tap device: it is some other one", name);
	default:
		return refuse(-error, "can't make the tap device '%s': %s", name, strerror(error));
	}
}

/* Put the name of a network device into a request for the kernel. */
static int set_name(struct ifreq *request, const char *name)
{
	memset(request, 0, sizeof(*request));
	if (strlen(name) >= IFNAMSIZ)
		return refuse(-ENAMETOOLONG, "'%s' is too long for a network device: %d letters are the most",
			      name, IFNAMSIZ - 1);
	strcpy(request->ifr_name, name);
	return 0;
}

static int open_tap(struct tap *tap, const char *name)
{
	int header = NET_HEADER_SIZE;

	tap->fd = open(TUN, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (tap->fd < 0)
		return refuse_tun(errno);
	tap->device.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
	if (ioctl(tap->fd, TUNSETIFF, &tap->device) < 0)
		return refuse_tap(name, errno);
	if (ioctl(tap->fd, TUNSETVNETHDRSZ, &header) < 0)
		return refuse(-errno, "can't use the tap device '%s': %s", tap->device.ifr_name,
			      strerror(errno));
	return 0;
}

/* Make a request about network devices. Return: 0, or a negative errno. */
static int configure(unsigned long what, struct ifreq *request)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int error = 0;

	if (fd < 0)
		return -errno;
	if (ioctl(fd, what, request) < 0)
		error = -errno;
	close(fd);
	return error;
}

/*
 * Switch the device on. A device that root made for us may be on already, or only root may
 * switch it.
 */
static int switch_on(const struct tap *tap)
{
	struct ifreq request = tap->device;
	int error;

	error = configure(SIOCGIFFLAGS, &request);
	if (!error && !(request.ifr_flags & IFF_UP)) {
		request.ifr_flags |= IFF_UP;
		error = configure(SIOCSIFFLAGS, &request);
	}
	if (error == -EPERM)
		return refuse(error, "no permission to switch on the tap device '%s': let root do it: ip link set %s up",
			      tap->device.ifr_name, tap->device.ifr_name);
	return error ? refuse(error, "can't switch on the tap device '%s': %s",
			      tap->device.ifr_name, strerror(-error)) : 0;
}

/* In all modes: make or open a tap device of that name; %d stands for the first free number. */
static int make_tap(struct net *net, const struct net_request *request, const char *name)
{
	struct tap *tap;
	int error;

	error = value_refuse_others(request->value, "net", "mac=", NULL);
	if (error)
		return error;
	tap = calloc(1, sizeof(*tap));
	if (!tap)
		return no_memory();
	tap->fd = -1;
	net->private = tap;
	error = set_name(&tap->device, name);
	if (!error)
		error = open_tap(tap, name);
	if (error)
		return error;
	net->tap = tap->fd;
	return 0;
}

static int tap_init(struct net *net, const struct net_request *request)
{
	struct tap *tap;
	int error;

	error = make_tap(net, request, request->argument ? request->argument : "tap%d");
	tap = net->private;
	if (!error)
		error = switch_on(tap);
	if (!error && !request->argument)
		message("the guest's network card is %s on this host", tap->device.ifr_name);
	return error;
}

static int check_bridge(const char *bridge)
{
	struct ifreq request;
	char path[64];
	int error = set_name(&request, bridge);

	if (error)
		return error;
	snprintf(path, sizeof(path), "/sys/class/net/%s/bridge", bridge);
	if (strchr(bridge, '/') || access(path, F_OK))
		return refuse(-ENODEV,
			      "there is no bridge '%s': make it: ip link add %s type bridge; ip link set %s up",
			      bridge, bridge, bridge);
	return 0;
}

static int bridge_init(struct net *net, const struct net_request *request)
{
	struct ifreq bridge, device;
	struct tap *tap;
	int error;

	error = check_bridge(request->argument);
	if (!error)
		error = make_tap(net, request, "tap%d");
	if (error)
		return error;
	tap = net->private;
	/* By its index, which the kernel puts where the flags are. */
	device = tap->device;
	error = configure(SIOCGIFINDEX, &device);
	set_name(&bridge, request->argument);
	bridge.ifr_ifindex = device.ifr_ifindex;
	if (!error)
		error = configure(SIOCBRADDIF, &bridge);
	if (error)
		return refuse(error, "can't put %s into the bridge '%s': %s%s", tap->device.ifr_name,
			      request->argument, strerror(-error),
			      error == -EPERM ? ": run lguest as root" : "");
	detail("the guest's network card is %s in the bridge %s", tap->device.ifr_name,
	       request->argument);
	return switch_on(tap);
}

/* Set the host's address on the device. Its network has 254 addresses. */
static int set_address(const struct tap *tap, const char *text)
{
	struct ifreq request = tap->device;
	struct sockaddr_in *address = (struct sockaddr_in *)&request.ifr_addr;
	int error;

	memset(address, 0, sizeof(request.ifr_addr));
	address->sin_family = AF_INET;
	inet_pton(AF_INET, text, &address->sin_addr);
	error = configure(SIOCSIFADDR, &request);
	inet_pton(AF_INET, "255.255.255.0", &address->sin_addr);
	if (!error)
		error = configure(SIOCSIFNETMASK, &request);
	return error ? refuse(error, "can't give %s the address %s: %s", tap->device.ifr_name, text,
			      strerror(-error)) : 0;
}

static int address_init(struct net *net, const struct net_request *request)
{
	struct in_addr address;
	int error;

	if (inet_pton(AF_INET, request->argument, &address) != 1)
		return misused("'%s' is no IPv4 address: say --tunnet=192.168.19.1 or --tunnet=bridge:BR",
			      request->argument);
	error = make_tap(net, request, "tap%d");
	if (!error)
		error = set_address(net->private, request->argument);
	return error ? error : switch_on(net->private);
}

/* Tell the host what it may leave to the guest. */
static int tap_set_features(struct net *net, uint64_t features)
{
	struct tap *tap = net->private;
	unsigned long offloads = 0;

	if (features & NET_FEATURE(GUEST_CSUM)) {
		offloads |= TUN_F_CSUM;
		if (features & NET_FEATURE(GUEST_TSO4))
			offloads |= TUN_F_TSO4;
		if (features & NET_FEATURE(GUEST_TSO6))
			offloads |= TUN_F_TSO6;
		if (offloads != TUN_F_CSUM && (features & NET_FEATURE(GUEST_ECN)))
			offloads |= TUN_F_TSO_ECN;
	}
	if (ioctl(tap->fd, TUNSETOFFLOAD, offloads) < 0)
		return refuse(-errno, "the tap device '%s' does not take offloads: %s",
			      tap->device.ifr_name, strerror(errno));
	return 0;
}

/* The next driver may not want what this one took over from the host. */
static void tap_reset(struct net *net)
{
	struct tap *tap = net->private;

	ioctl(tap->fd, TUNSETOFFLOAD, 0UL);
}

static void tap_prepare(struct net *net, struct net_poll *poll)
{
	struct tap *tap = net->private;

	tap->index = net->first ? -1 : net_poll_add(poll, tap->fd, POLLIN);
}

static void tap_receive(struct net *net, const struct net_poll *poll)
{
	struct tap *tap = net->private;
	ssize_t size;
	int i;

	if (!net_poll_events(poll, tap->index))
		return;
	for (i = 0; i < MOST_AT_ONCE && !net->first; i++) {
		size = read(tap->fd, tap->packet, sizeof(tap->packet));
		if (size <= 0)
			return;
		net_receive(net, tap->packet, size);
	}
}

/* A packet that the kernel refuses is lost, for example one whose header makes no sense. */
static bool tap_send(struct net *net, struct iovec *iov, unsigned int count)
{
	struct tap *tap = net->private;

	while (writev(tap->fd, iov, count) < 0 && errno == EINTR)
		continue;
	return true;
}

static void tap_exit(struct net *net)
{
	struct tap *tap = net->private;

	if (!tap)
		return;
	file_close(&tap->fd);
	free(tap);
}

#define TAP_OPS(mode_init)			\
	.features = NET_OFFLOADS,		\
	.init = mode_init,			\
	.set_features = tap_set_features,	\
	.reset = tap_reset,			\
	.prepare = tap_prepare,			\
	.receive = tap_receive,			\
	.send = tap_send,			\
	.exit = tap_exit

const struct net_ops net_tap_ops = { TAP_OPS(tap_init) };
const struct net_ops net_bridge_ops = { TAP_OPS(bridge_init) };
const struct net_ops net_address_ops = { TAP_OPS(address_init) };
