// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices: a disk, and a network card with a host behind it that answers pings. Their names
 * are those in the measured kernels.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

/* --- The disk, past the page cache. ------------------------------------------------------ */

#define DISK_SIZE	(16 << 20)
#define BLOCK		4096
#define STREAM		(1 << 20)
#define SINK_PORT	5001

static int disk;
static char *buffer;
static off_t place;

static void prepare_disk(void)
{
	disk = open("/dev/vda", O_RDWR | O_DIRECT);
	if (disk < 0)
		disk = MUST(open("/dev/ubda", O_RDWR | O_DIRECT));
	buffer = aligned_alloc(BLOCK, STREAM);
	MUST(buffer ? 0 : -1);
	memset(buffer, 1, STREAM);
}

/* Return: another place than that of the last request. */
static off_t next_place(size_t size)
{
	place = (place + 5 * size) % DISK_SIZE;
	return place;
}

static void run_disk_read(unsigned int n)
{
	while (n--)
		MUST(pread(disk, buffer, BLOCK, next_place(BLOCK)) == BLOCK ? 0 : -1);
}

static void run_disk_write(unsigned int n)
{
	while (n--)
		MUST(pwrite(disk, buffer, BLOCK, next_place(BLOCK)) == BLOCK ? 0 : -1);
}

static void run_disk_stream(unsigned int n)
{
	while (n--)
		MUST(pread(disk, buffer, STREAM, next_place(STREAM)) == STREAM ? 0 : -1);
}

/* --- The network card. --------------------------------------------------------------------- */

struct ping {
	struct icmphdr header;
	uint32_t number;
};

static int card;
static struct sockaddr_in peer = { .sin_family = AF_INET };
static uint32_t pings;

/* Give a card, which may have two names, its address, and name the host behind it. */
static void set_up(const char *name, const char *other_name, const char *address,
		   const char *peer_address)
{
	int any = MUST(socket(AF_INET, SOCK_DGRAM, 0));
	struct ifreq request = { 0 };
	struct sockaddr_in *own = (struct sockaddr_in *)&request.ifr_addr;

	strcpy(request.ifr_name, name);
	if (ioctl(any, SIOCGIFFLAGS, &request))
		strcpy(request.ifr_name, other_name);
	own->sin_family = AF_INET;
	inet_pton(AF_INET, address, &own->sin_addr);
	MUST(ioctl(any, SIOCSIFADDR, &request));
	inet_pton(AF_INET, "255.255.255.0", &own->sin_addr);
	MUST(ioctl(any, SIOCSIFNETMASK, &request));
	MUST(ioctl(any, SIOCGIFFLAGS, &request));
	request.ifr_flags |= IFF_UP;
	MUST(ioctl(any, SIOCSIFFLAGS, &request));
	close(any);
	inet_pton(AF_INET, peer_address, &peer.sin_addr);
}

static void set_up_user(void)
{
	set_up("eth0", "eth0", "10.0.2.15", "10.0.2.2");
}

static void set_up_tap(void)
{
	set_up("eth1", "vec0", "192.168.21.2", "192.168.21.1");
}

static uint16_t checksum(const void *data, size_t size)
{
	const uint16_t *word = data;
	uint32_t sum = 0;

	for (; size; size -= 2)
		sum += *word++;
	sum = (sum >> 16) + (sum & 0xffff);
	return ~(sum + (sum >> 16));
}

/* Wait for the answer to our last ping; ignore other packets. */
static void wait_for_answer(void)
{
	struct {
		struct iphdr ip;
		struct ping ping;
	} packet;

	do {
		MUST(recv(card, &packet, sizeof(packet), 0));
	} while (packet.ip.ihl != 5 || packet.ping.header.type != ICMP_ECHOREPLY ||
		 packet.ping.number != pings);
}

static void run_ping(unsigned int n)
{
	struct ping ping = { .header.type = ICMP_ECHO };

	while (n--) {
		ping.number = ++pings;
		ping.header.checksum = 0;
		ping.header.checksum = checksum(&ping, sizeof(ping));
		MUST(sendto(card, &ping, sizeof(ping), 0, (struct sockaddr *)&peer, sizeof(peer)));
		wait_for_answer();
	}
}

static void prepare_ping(void)
{
	struct timeval limit = { .tv_sec = 30 };

	card = MUST(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
	MUST(setsockopt(card, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)));
	run_ping(1);
}

static void prepare_ping_user(void)
{
	set_up_user();
	prepare_ping();
}

static void prepare_ping_tap(void)
{
	set_up_tap();
	prepare_ping();
}

/* --- A stream. The other side answers when it has everything. ------------------------------ */

/*
 * sink() - read what comes, and answer each STREAM bytes with one byte, for ever
 */
noreturn void sink(void)
{
	struct sockaddr_in own = { .sin_family = AF_INET, .sin_port = htons(SINK_PORT) };
	/* Not static: that would make the program larger, and its forks dearer. */
	char *taken = malloc(STREAM);
	int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (!taken || bind(listener, (struct sockaddr *)&own, sizeof(own)) || listen(listener, 1))
		exit(1);
	for (;;) {
		int stream = accept(listener, NULL, NULL);

		while (recv(stream, taken, STREAM, MSG_WAITALL) == STREAM &&
		       send(stream, taken, 1, MSG_NOSIGNAL) == 1)
			;
		close(stream);
	}
}

static void prepare_stream(void)
{
	peer.sin_port = htons(SINK_PORT);
	buffer = calloc(1, STREAM);
	MUST(buffer ? 0 : -1);
	card = MUST(socket(AF_INET, SOCK_STREAM, 0));
	MUST(connect(card, (struct sockaddr *)&peer, sizeof(peer)));
}

static void prepare_stream_user(void)
{
	set_up_user();
	prepare_stream();
}

static void prepare_stream_tap(void)
{
	set_up_tap();
	prepare_stream();
}

static void run_stream(unsigned int n)
{
	while (n--) {
		size_t sent = 0;

		while (sent < STREAM)
			sent += MUST(send(card, buffer + sent, STREAM - sent, 0));
		MUST(recv(card, buffer, 1, 0) == 1 ? 0 : -1);
	}
}

const struct op device_ops[] = {
	{ "disk_read", 40, prepare_disk, NULL, run_disk_read, NULL },
	{ "disk_write", 40, prepare_disk, NULL, run_disk_write, NULL },
	{ "disk_stream", 4, prepare_disk, NULL, run_disk_stream, NULL },
	{ "ping_user", 30, prepare_ping_user, NULL, run_ping, NULL },
	{ "ping_tap", 30, prepare_ping_tap, NULL, run_ping, NULL },
	{ "stream_user", 2, prepare_stream_user, NULL, run_stream, NULL },
	{ "stream_tap", 2, prepare_stream_tap, NULL, run_stream, NULL },
	{ NULL, 0, NULL, NULL, NULL, NULL }
};
