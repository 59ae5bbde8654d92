// SPDX-License-Identifier: GPL-2.0-only
/*
 * The network of this user: libslirp is the Guest's router, name server and DHCP
 * server, and speaks to the world by ordinary sockets of this process. It needs no
 * privileges, and nobody can reach the Guest but by the ports that are forwarded.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <slirp/libslirp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../clock.h"
#include "../compiler.h"
#include "../message.h"
#include "../number.h"
#include "../value.h"
#include "net.h"

/* Where there is no wire, packets may be as large as IPv4 can have them. */
#define USER_MTU	65520
#define GUEST_ADDRESS	"10.0.2.15"

struct user_timer {
	struct user_timer *next;
	SlirpTimerCb expire;
	void *argument;
	int64_t at;		/* ms, INT64_MAX: never */
};

struct user {
	Slirp *slirp;
	struct user_timer *timers;
	bool asked;		/* libslirp was asked what to wait for */
	uint8_t packet[NET_MAX_PACKET];		/* on its way to the Guest */
	uint8_t frame[NET_MAX_PACKET];		/* on its way from it */
};

/* --- What libslirp calls. --- */

static ssize_t send_packet(const void *frame, size_t size, void *argument)
{
	struct net *net = argument;
	struct user *user = net->private;
	/* It has computed each checksum itself. */
	struct virtio_net_hdr_v1 header = { .flags = VIRTIO_NET_HDR_F_DATA_VALID };

	if (size > sizeof(user->packet) - sizeof(header))
		return size;
	memcpy(user->packet, &header, sizeof(header));
	memcpy(user->packet + sizeof(header), frame, size);
	net_receive(net, user->packet, sizeof(header) + size);
	return size;
}

static void guest_error(const char *what, void *argument)
{
	(void)argument;
	detail("the guest's network: %s", what);
}

static int64_t clock_get_ns(void *argument)
{
	(void)argument;
	return now_ms() * 1000000;
}

static void *timer_new(SlirpTimerCb expire, void *timer_argument, void *argument)
{
	struct user *user = ((struct net *)argument)->private;
	struct user_timer *timer = calloc(1, sizeof(*timer));

	if (!timer)
		return NULL;
	timer->expire = expire;
	timer->argument = timer_argument;
	timer->at = INT64_MAX;
	timer->next = user->timers;
	user->timers = timer;
	return timer;
}

static void timer_free(void *which, void *argument)
{
	struct user *user = ((struct net *)argument)->private;
	struct user_timer **link;

	for (link = &user->timers; *link; link = &(*link)->next) {
		if (*link == which) {
			*link = (*link)->next;
			break;
		}
	}
	free(which);
}

static void timer_mod(void *which, int64_t at, void *argument)
{
	struct user_timer *timer = which;

	(void)argument;
	if (timer)
		timer->at = at;
}

/* We ask for its descriptors anew each time. */
static void no_descriptor(int fd, void *argument)
{
	(void)fd;
	(void)argument;
}

static void no_notice(void *argument)
{
	(void)argument;
}

static const SlirpCb callbacks = {
	.send_packet = send_packet,
	.guest_error = guest_error,
	.clock_get_ns = clock_get_ns,
	.timer_new = timer_new,
	.timer_free = timer_free,
	.timer_mod = timer_mod,
	.register_poll_fd = no_descriptor,
	.unregister_poll_fd = no_descriptor,
	.notify = no_notice,
};

/* libslirp has names of its own for what poll() tells. */
static const struct { int theirs; short ours; } events[] = {
	{ SLIRP_POLL_IN, POLLIN }, { SLIRP_POLL_OUT, POLLOUT }, { SLIRP_POLL_PRI, POLLPRI },
	{ SLIRP_POLL_ERR, POLLERR }, { SLIRP_POLL_HUP, POLLHUP },
};

static int add_poll(int fd, int theirs, void *argument)
{
	short ours = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(events); i++)
		if (theirs & events[i].theirs)
			ours |= events[i].ours;
	return net_poll_add(argument, fd, ours);
}

static int get_events(int index, void *argument)
{
	short ours = net_poll_events(argument, index);
	int theirs = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(events); i++)
		if (ours & events[i].ours)
			theirs |= events[i].theirs;
	return theirs;
}

/* --- What net.c calls. --- */

static void user_prepare(struct net *net, struct net_poll *poll)
{
	struct user *user = net->private;
	struct user_timer *timer;
	uint32_t timeout = UINT32_MAX;
	int64_t now = now_ms();

	user->asked = !net->first;
	if (!user->asked)
		return;
	slirp_pollfds_fill(user->slirp, &timeout, add_poll, poll);
	for (timer = user->timers; timer; timer = timer->next)
		if (timer->at - now < timeout)
			timeout = timer->at > now ? timer->at - now : 0;
	poll->timeout = timeout > INT32_MAX ? -1 : (int)timeout;
}

/* A timer may end itself or others: begin anew after each. */
static void run_timers(struct user *user)
{
	struct user_timer *timer;
	int64_t now = now_ms();

	do {
		for (timer = user->timers; timer && timer->at > now; timer = timer->next)
			continue;
		if (timer) {
			timer->at = INT64_MAX;
			timer->expire(timer->argument);
		}
	} while (timer);
}

static void user_receive(struct net *net, const struct net_poll *poll)
{
	struct user *user = net->private;

	if (!user->asked)
		return;
	slirp_pollfds_poll(user->slirp, !poll->count, get_events, (void *)poll);
	run_timers(user);
}

/* All checksums are in it: we have offered the driver nothing else. */
static bool user_send(struct net *net, struct iovec *iov, unsigned int count)
{
	struct user *user = net->private;
	size_t size;

	iov_read(&iov, &count, user->frame, NET_HEADER_SIZE);
	size = iov_read(&iov, &count, user->frame, sizeof(user->frame));
	slirp_input(user->slirp, user->frame, size);
	return true;
}

/* A number up to the character @end. Return: what follows, or NULL. */
static const char *parse_port(const char *text, char end, int *port)
{
	const char *rest;
	uint64_t value;

	rest = number_read(text, 1, UINT16_MAX, &value);
	if (!rest || *rest != end)
		return NULL;
	*port = value;
	return end ? rest + 1 : rest;
}

/* An address up to the character @end; an empty one leaves *address alone. */
static const char *parse_address(const char *text, char end, struct in_addr *address)
{
	const char *to = strchr(text, end);
	char copy[16];

	if (!to || to - text >= (ptrdiff_t)sizeof(copy))
		return NULL;
	memcpy(copy, text, to - text);
	copy[to - text] = '\0';
	if (*copy && inet_pton(AF_INET, copy, address) != 1)
		return NULL;
	return to + 1;
}

struct forward {
	bool udp;
	struct in_addr host, guest;
	int host_port, guest_port;
};

/* PROTOCOL:[ADDRESS]:PORT-[GUESTADDRESS]:GUESTPORT, as QEMU has it. */
static bool parse_forward(const char *text, struct forward *forward)
{
	/* Without an address, this host alone may come in: a port for all is asked for. */
	forward->host.s_addr = htonl(INADDR_LOOPBACK);
	inet_pton(AF_INET, GUEST_ADDRESS, &forward->guest);
	forward->udp = !strncmp(text, "udp:", 4);
	if (!forward->udp && strncmp(text, "tcp:", 4))
		return false;
	text = parse_address(text + 4, ':', &forward->host);
	text = text ? parse_port(text, '-', &forward->host_port) : NULL;
	text = text ? parse_address(text, ':', &forward->guest) : NULL;
	return text && parse_port(text, '\0', &forward->guest_port);
}

static int add_forward(struct user *user, const char *text)
{
	struct forward forward;

	if (!parse_forward(text, &forward))
		return misused("'%s' is no port to forward: say hostfwd=tcp:127.0.0.1:2222-:22",
			      text);
	if (!slirp_add_hostfwd(user->slirp, forward.udp, forward.host, forward.host_port,
			       forward.guest, forward.guest_port))
		return 0;
	if (errno == EADDRINUSE)
		return refuse(-errno, "hostfwd=%s: port %d of the host is taken: choose another one",
			      text, forward.host_port);
	if (errno == EACCES)
		return refuse(-errno, "hostfwd=%s: ports below 1024 are root's: choose another one than %d",
			      text, forward.host_port);
	return refuse(-errno, "hostfwd=%s: can't listen there: %s", text, strerror(errno));
}

/* The addresses that QEMU's user network has, too. */
static Slirp *new_slirp(struct net *net)
{
	SlirpConfig config = {
		.version = 4,
		.in_enabled = true,
		.in6_enabled = true,
		.vprefix_len = 64,
		.vhostname = "guest",
		.if_mtu = USER_MTU,
		.if_mru = USER_MTU,
	};

	inet_pton(AF_INET, "10.0.2.0", &config.vnetwork);
	inet_pton(AF_INET, "255.255.255.0", &config.vnetmask);
	inet_pton(AF_INET, "10.0.2.2", &config.vhost);
	inet_pton(AF_INET, "10.0.2.3", &config.vnameserver);
	inet_pton(AF_INET, GUEST_ADDRESS, &config.vdhcp_start);
	inet_pton(AF_INET6, "fec0::", &config.vprefix_addr6);
	inet_pton(AF_INET6, "fec0::2", &config.vhost6);
	inet_pton(AF_INET6, "fec0::3", &config.vnameserver6);
	return slirp_new(&config, &callbacks, net);
}

static int user_init(struct net *net, const struct net_request *request)
{
	const struct value *value = request->value;
	struct user *user;
	unsigned int i;
	int error;

	error = value_refuse_others(value, "net=user", "mac=", "hostfwd=", NULL);
	if (error)
		return error;
	user = calloc(1, sizeof(*user));
	if (!user)
		return refuse(-ENOMEM, "no memory");
	net->private = user;
	user->slirp = new_slirp(net);
	if (!user->slirp)
		return refuse(-ENOMEM, "can't make the user network: no memory");
	for (i = 0; !error && i < value->words; i++)
		if (!strncmp(value->word[i], "hostfwd=", 8))
			error = add_forward(user, value->word[i] + 8);
	net->config.mtu = htole16(USER_MTU);
	return error;
}

static void user_exit(struct net *net)
{
	struct user *user = net->private;

	if (!user)
		return;
	if (user->slirp)
		slirp_cleanup(user->slirp);
	while (user->timers)
		timer_free(user->timers, net);
	free(user);
}

const struct net_ops net_user_ops = {
	/* What comes from it has its checksums; it wants the same of the Guest. */
	.features = NET_FEATURE(GUEST_CSUM) | NET_FEATURE(MTU),
	.init = user_init,
	.prepare = user_prepare,
	.receive = user_receive,
	.send = user_send,
	.exit = user_exit,
};
