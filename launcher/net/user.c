// SPDX-License-Identifier: GPL-2.0-only
/*
 * The network of this user: libslirp is the guest's router, name server and DHCP server, and
 * speaks to the world by ordinary sockets. It needs no privileges, and nobody can reach the
 * guest except by the ports that are forwarded. libslirp reads what the guest and the world
 * send, so it runs in a process of its own, and the card is at the other end of a cable.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <slirp/libslirp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "base/message.h"
#include "base/number.h"
#include "sandbox/sandbox.h"
#include "base/value.h"
#include "net/process.h"

/* There is no wire, so packets may be as large as IPv4 allows, if the guest hears of that. */
#define USER_MTU	65520
#define ETHERNET_MTU	1500
#define GUEST_ADDRESS	"10.0.2.15"

#define NAME_SERVERS	"/etc/resolv.conf"

/*
 * How many bytes may wait of packets that came in answer to the guest's while the card took
 * none.
 */
#define MAX_WAITING	(1 << 20)
#define MOST_AT_ONCE	64	/* packets, before the world has its turn */

struct user_timer {
	struct user_timer *next;
	SlirpTimerCb expire;
	void *argument;
	int64_t at;		/* ms, INT64_MAX: never */
};

/* All this is in the process. */
struct user {
	Slirp *slirp;
	struct user_timer *timers;
	int card;		/* the end of the cable in the process */
	struct net_packet *first, **last;	/* packets that wait until the card takes them */
	size_t waiting;
	uint8_t packet[NET_MAX_PACKET];		/* a packet from the guest */
};

/* --- What libslirp calls. --- */

/* Send a packet to the card. Return: is it sent or lost? */
static bool send_to_card(const struct user *user, struct iovec *iov, unsigned int count)
{
	struct msghdr packet = { .msg_iov = iov, .msg_iovlen = count };

	return sendmsg(user->card, &packet, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 || errno != EAGAIN;
}

static void keep_packet(struct user *user, const struct iovec *iov)
{
	size_t size = iov[0].iov_len + iov[1].iov_len;
	struct net_packet *packet;

	if (size > MAX_WAITING - user->waiting)
		return;
	packet = malloc(sizeof(*packet) + size);
	if (!packet)
		return;
	memcpy(packet->bytes, iov[0].iov_base, iov[0].iov_len);
	memcpy(packet->bytes + iov[0].iov_len, iov[1].iov_base, iov[1].iov_len);
	packet->size = size;
	packet->next = NULL;
	*user->last = packet;
	user->last = &packet->next;
	user->waiting += size;
}

static ssize_t send_packet(const void *frame, size_t size, void *argument)
{
	struct user *user = argument;
	/* libslirp has computed each checksum itself. */
	struct virtio_net_hdr_v1 header = { .flags = VIRTIO_NET_HDR_F_DATA_VALID };
	struct iovec iov[] = { { &header, sizeof(header) }, { (void *)frame, size } };

	if (size > NET_MAX_PACKET - sizeof(header))
		return size;
	if (user->first || !send_to_card(user, iov, 2))
		keep_packet(user, iov);
	return size;
}

static void send_waiting(struct user *user)
{
	struct net_packet *packet;

	while ((packet = user->first)) {
		struct iovec iov = { packet->bytes, packet->size };

		if (!send_to_card(user, &iov, 1))
			return;
		user->first = packet->next;
		if (!user->first)
			user->last = &user->first;
		user->waiting -= packet->size;
		free(packet);
	}
}

static void guest_error(const char *what, void *argument)
{
	(void)what;
	(void)argument;
}

static int64_t clock_get_ns(void *argument)
{
	(void)argument;
	return now_ms() * 1000000;
}

static void *timer_new(SlirpTimerCb expire, void *timer_argument, void *argument)
{
	struct user *user = argument;
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
	struct user *user = argument;
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

/* We ask libslirp for its descriptors before each poll(). */
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

/* libslirp has its own names for the events of poll(). */
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

/* --- What the process does. --- */

/*
 * Add the sockets of libslirp, unless the card takes nothing now. Return: was libslirp asked?
 */
static bool prepare(struct user *user, struct net_poll *poll)
{
	struct user_timer *timer;
	uint32_t timeout = UINT32_MAX;
	int64_t now = now_ms();

	if (user->first)
		return false;
	slirp_pollfds_fill(user->slirp, &timeout, add_poll, poll);
	for (timer = user->timers; timer; timer = timer->next)
		if (timer->at - now < timeout)
			timeout = timer->at > now ? timer->at - now : 0;
	poll->timeout = timeout > INT32_MAX ? -1 : (int)timeout;
	return true;
}

/* Run timers that are due. A timer may remove itself or others: begin anew after each. */
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

/*
 * Take packets from the card. All checksums are in them, since the driver was offered nothing
 * else. Return: false if the card is gone.
 */
static bool take_packets(struct user *user)
{
	ssize_t size;
	int i;

	for (i = 0; i < MOST_AT_ONCE; i++) {
		size = recv(user->card, user->packet, sizeof(user->packet), MSG_DONTWAIT);
		if (size < 0)
			return errno == EAGAIN || errno == EINTR;
		if (!size)
			return false;
		if (size >= (ssize_t)NET_HEADER_SIZE)
			slirp_input(user->slirp, user->packet + NET_HEADER_SIZE, size - NET_HEADER_SIZE);
	}
	return true;
}

static void carry(struct user *user)
{
	struct net_poll poll_on = { 0 };
	bool asked;
	int card;

	do {
		poll_on.count = 0;
		poll_on.timeout = -1;
		card = net_poll_add(&poll_on, user->card, POLLIN | (user->first ? POLLOUT : 0));
		if (card < 0)
			return;
		asked = prepare(user, &poll_on);
		if (poll(poll_on.fd, poll_on.count, poll_on.timeout) < 0)
			poll_on.count = 0;	/* EINTR: nothing has happened */
		if (net_poll_events(&poll_on, card) & POLLOUT)
			send_waiting(user);
		if (asked) {
			slirp_pollfds_poll(user->slirp, !poll_on.count, get_events, &poll_on);
			run_timers(user);
		}
	} while (!(net_poll_events(&poll_on, card) & ~POLLOUT) || take_packets(user));
}

/* Read a port number up to the character @end. Return: what follows, or NULL. */
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

/*
 * Read an address up to the character @end; an empty one leaves *address as it is. Return: what
 * follows, or NULL.
 */
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
	/* Without an address, accept only this host: forwarding for all must be asked for. */
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
		return -EINVAL;		/* user_init() has checked this */
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

/* Make libslirp, with the addresses that QEMU's user network has, too. */
static Slirp *new_slirp(struct user *user, bool restricted, uint16_t mtu)
{
	SlirpConfig config = {
		.version = 4,
		.restricted = restricted,
		.in_enabled = true,
		.in6_enabled = true,
		.vprefix_len = 64,
		.vhostname = "guest",
		.if_mtu = mtu,
		.if_mru = mtu,
	};

	inet_pton(AF_INET, "10.0.2.0", &config.vnetwork);
	inet_pton(AF_INET, "255.255.255.0", &config.vnetmask);
	inet_pton(AF_INET, "10.0.2.2", &config.vhost);
	inet_pton(AF_INET, "10.0.2.3", &config.vnameserver);
	inet_pton(AF_INET, GUEST_ADDRESS, &config.vdhcp_start);
	inet_pton(AF_INET6, "fec0::", &config.vprefix_addr6);
	inet_pton(AF_INET6, "fec0::2", &config.vhost6);
	inet_pton(AF_INET6, "fec0::3", &config.vnameserver6);
	return slirp_new(&config, &callbacks, user);
}

/* What the process has to know. */
struct wish {
	const struct value *value;
	uint16_t mtu;
};

static int set_up(struct user *user, const struct wish *wish)
{
	const struct value *value = wish->value;
	unsigned int i;
	int error = 0;

	user->last = &user->first;
	user->slirp = new_slirp(user, value_flag(value, "restrict"), wish->mtu);
	if (!user->slirp)
		return refuse(-ENOMEM, "can't make the user network: no memory");
	for (i = 0; !error && i < value->words; i++)
		if (!strncmp(value->word[i], "hostfwd=", 8))
			error = add_forward(user, value->word[i] + 8);
	return error;
}

static const struct sandbox_call calls[] = {
	SANDBOX_EVERY_PROCESS,
	SANDBOX_CALL(getrandom),
	SANDBOX_CALL(gettimeofday),
	SANDBOX_CALL_IF(socket, 0, SANDBOX_INT, AF_INET),
	SANDBOX_CALL_IF(socket, 0, SANDBOX_INT, AF_INET6),
	SANDBOX_CALL(connect),
	SANDBOX_CALL(bind),
	SANDBOX_CALL(listen),
	SANDBOX_CALL(accept),
	SANDBOX_CALL(accept4),
	SANDBOX_CALL(sendto),
	SANDBOX_CALL(recvfrom),
	SANDBOX_CALL(sendmsg),
	SANDBOX_CALL(recvmsg),
	SANDBOX_CALL(shutdown),
	SANDBOX_CALL(setsockopt),
	SANDBOX_CALL(getsockopt),
	SANDBOX_CALL(getsockname),
	SANDBOX_CALL(getpeername),
	SANDBOX_CALL_IF(ioctl, 1, SANDBOX_INT, FIONREAD),
	SANDBOX_CALL_IF(ioctl, 1, SANDBOX_INT, FIONBIO),
	SANDBOX_CALL_IF(fcntl, 1, SANDBOX_INT, F_GETFL),
	SANDBOX_CALL_IF(fcntl, 1, SANDBOX_INT, F_SETFL),
	SANDBOX_CALL_IF(fcntl, 1, SANDBOX_INT, F_GETFD),
	SANDBOX_CALL_IF(fcntl, 1, SANDBOX_INT, F_SETFD),
	SANDBOX_CALL(poll),
	SANDBOX_CALL(read),
	SANDBOX_CALL(readv),
	SANDBOX_CALL(write),
	SANDBOX_CALL(writev),
	SANDBOX_CALL(close),
	/* To find the name servers in /etc/resolv.conf. */
	SANDBOX_CALL_IF(openat, 2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY),
	SANDBOX_CALL(newfstatat),
	SANDBOX_CALL(lseek),
};

/* With this, root can send pings where others can not. */
static const int capabilities[] = { CAP_NET_RAW, -1 };

static int to_launcher;

static void tell_launcher(const char *line)
{
	net_process_refused(to_launcher, line);
}

static void run(int socket, void *argument)
{
	static const struct sandbox sandbox = {
		.namespaces = CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS,
		.keep_capabilities = capabilities,
		.file = NAME_SERVERS,
		.calls = calls,
		.count = ARRAY_SIZE(calls),
	};
	static struct user user;
	void (*before)(const char *line) = message_sink;

	user.card = to_launcher = socket;
	message_sink = tell_launcher;
	if (set_up(&user, argument))
		return;
	message_sink = before;
	sandbox_enter(&sandbox);
	net_process_ready(socket);
	carry(&user);
}

/* --- What the card calls. --- */

static int user_init(struct net *net, const struct net_request *request)
{
	const struct value *value = request->value;
	int error = value_refuse_others(value, "net=user", "mac=", "hostfwd=", "restrict", NULL);
	struct wish wish = { .value = value };
	struct forward forward;
	unsigned int i;

	if (error)
		return error;
	for (i = 0; i < value->words; i++)
		if (!strncmp(value->word[i], "hostfwd=", 8) && !parse_forward(value->word[i] + 8, &forward))
			return misused("'%s' is no port to forward: say hostfwd=tcp:127.0.0.1:2222-:22",
				       value->word[i] + 8);
	wish.mtu = net->mtu = net->card->tells_mtu ? USER_MTU : ETHERNET_MTU;
	return net_process_start(net, "lguest-net", run, &wish);
}

const struct net_ops net_user_ops = {
	/* Packets of libslirp have their checksums, and it wants the same of the guest. */
	.features = NET_FEATURE(GUEST_CSUM) | NET_FEATURE(MTU),
	.takes_large = true,
	.init = user_init,
	.prepare = net_process_prepare,
	.receive = net_process_receive,
	.send = net_process_send,
	.exit = net_process_exit,
};
