// SPDX-License-Identifier: GPL-2.0-only
/* The kinds of networks that a card may be on, from the command line to packets. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/virtio_mmio.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/compiler.h"
#include "net_card.h"
#include "unit.h"

START_TEST(mac_is_in_the_configuration)
{
	struct virtio_device others[2];
	unsigned int i;

	/* Without mac= each device has its own address, and has it again after a restart. */
	for (i = 0; i < 2; i++)
		ck_assert_int_eq(virtio_net_kind.init(&others[i], &driver.memory, "user"), 0);
	ck_assert_mem_ne(others[0].config, others[1].config, 6);
	virtio_device_exit(&others[1]);
	memcpy(others[1].config, others[0].config, 6);
	virtio_device_exit(&others[0]);
	ck_assert_int_eq(virtio_net_kind.init(&others[0], &driver.memory, "user"), 0);
	ck_assert_mem_eq(others[0].config, others[1].config, 6);
	ck_assert_uint_eq(others[0].config[0], 2);
	virtio_device_exit(&others[0]);
	/* Make this one last: devices are made before there are threads. */
	start_net("user,mac=52:54:00:12:34:56", 0);
	for (i = 0; i < 6; i++)
		ck_assert_uint_eq(virtio_mmio_read(&device, VIRTIO_MMIO_CONFIG + i, 1),
				  (uint8_t)"\x52\x54\x00\x12\x34\x56"[i]);
	ck_assert_uint_eq(virtio_mmio_read(&device, VIRTIO_MMIO_CONFIG + 6, 2), VIRTIO_NET_S_LINK_UP);
	stop();
}
END_TEST

static void refused(const char *value, const char *words)
{
	unit_refused(virtio_net_kind.init(&device, &driver.memory, value), words);
	virtio_device_exit(&device);
}

START_TEST(what_is_no_network_is_refused)
{
	driver_init(&driver);
	refused("", "--net needs a value");
	refused("lan", "'lan' is no kind of network: there are user, tap, bridge:BR, socket:PATH");
	refused("users", "is no kind of network");
	refused("user:x", "is no kind of network");
	refused("bridge", "needs to know more: --net=bridge:BR");
	refused("bridge:nobridge", "there is no bridge 'nobridge': make it: ip link add nobridge");
	refused("bridge:../lo", "there is no bridge '../lo'");
	refused("tap:a-name-of-16-chars", "is too long for a network device");
	unit_refused(virtio_tunnet_kind.init(&device, &driver.memory, "x"), "'x' is no IPv4 address");
	virtio_device_exit(&device);
	unit_refused(virtio_tunnet_kind.init(&device, &driver.memory, "10.0.0.1:xx"),
		     "'xx' is no hardware address");
	virtio_device_exit(&device);
	unit_refused(virtio_tunnet_kind.init(&device, &driver.memory,
					     "bridge:nobridge:52:54:00:12:34:56"), "there is no bridge");
	virtio_device_exit(&device);
	refused("user,mac=1", "'1' is no hardware address");
	refused("user,x", "--net=user does not know 'x'");
	refused("user,mac", "--net=user does not know 'mac'");
	guest_memory_exit(&driver.memory);
}
END_TEST

START_TEST(ports_that_can_not_be_forwarded_are_refused)
{
	static const char * const bad[] = {
		"", "tcp", "tcp:", "tcp::80", "tcp::80-", "tcp::80-:", "tcp:80-:80", "icmp::80-:80",
		"tcp::0-:80", "tcp::80-:0", "tcp::65536-:80", "tcp::80-:65536", "tcp::80-:80x",
		"tcp::-1-:80", "tcp::+80-:80", "tcp:1.2.3:80-:80", "tcp:localhost:80-:80",
		"tcp:999.0.0.1:80-:80", "tcp::80-1.2.3.4.5.6.7.8.9.10:80", "tcp:::1:80-:80",
	};
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof(address);
	char value[100];
	int fd, port;
	size_t i;

	driver_init(&driver);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(value, sizeof(value), "user,hostfwd=%s", bad[i]);
		refused(value, "is no port to forward: say hostfwd=tcp:127.0.0.1:2222-:22");
	}
	fd = socket(AF_INET, SOCK_STREAM, 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	port = ntohs(address.sin_port);
	snprintf(value, sizeof(value), "user,hostfwd=tcp::%d-:22", port);
	refused(value, "of the host is taken: choose another one");
	/* The ports must not seem taken: no process is left that has them. */
	close(fd);
	for (i = 0; i < 2; i++) {
		snprintf(value, sizeof(value), "user,hostfwd=tcp:127.0.0.1:%d-:22,hostfwd=udp::%d-:53",
			 port, port);
		ck_assert_int_eq(virtio_net_kind.init(&device, &driver.memory, value), 0);
		virtio_device_exit(&device);
	}
	guest_memory_exit(&driver.memory);
}
END_TEST

/* "Who has 10.0.2.2?": an Ethernet header, then RFC 826. */
static const uint8_t arp_request[] = {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 0x08, 0x06,
	0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 0, 2, 15, 0, 0, 0, 0, 0, 0, 10, 0, 2, 2,
};

static void send_frames(const void *frame, size_t size, unsigned int times)
{
	uint16_t done = driver_done(&driver, TRANSMIT);
	unsigned int i;

	memset(memory(SENT), 0, HEADER);
	memcpy(memory(SENT) + HEADER, frame, size);
	driver_put_desc(&driver, TRANSMIT, 0, SENT, HEADER + size, 0, 0);
	for (i = 0; i < times; i++)
		driver_offer(&driver, TRANSMIT, 0);
	driver_kick(&driver, TRANSMIT);
	ck_assert(driver_wait(&driver, TRANSMIT, done + times));
}

START_TEST(user_network_answers)
{
	start_net("user,mac=02:00:00:00:00:01", F_MERGE);
	offer(0, 2000);
	send_frames(arp_request, sizeof(arp_request), 1);
	ck_assert(driver_wait(&driver, RECEIVE, 1));
	ck_assert_uint_ge(used(RECEIVE, 0)->len, HEADER + 42);
	/* An answer, of 10.0.2.2. */
	ck_assert_uint_eq(memory(RECEIVED(0))[HEADER + 21], 2);
	ck_assert_mem_eq(memory(RECEIVED(0)) + HEADER + 28, "\x0a\x00\x02\x02", 4);
	stop();
}
END_TEST

static uint16_t checksum(const uint8_t *from, unsigned int size, uint32_t sum)
{
	unsigned int i;

	for (i = 0; i < size; i++)
		sum += i % 2 ? from[i] : from[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static void put16(uint8_t *to, uint16_t value)
{
	to[0] = value >> 8;
	to[1] = value;
}

/* The guest, 10.0.2.15, begins a connection to that port of the host, 10.0.2.2. */
static void send_syn(uint16_t port)
{
	uint8_t frame[54] = {
		[0] = 0x52, 0x55, 10, 0, 2, 2, 2, 0, 0, 0, 0, 1, 8, 0,
		[14] = 0x45, 0, 0, 40, 0, 1, 0, 0, 64, 6, 0, 0, 10, 0, 2, 15, 10, 0, 2, 2,
		[34] = 0x30, 0x39, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 0xff, 0xff, 0, 0, 0, 0,
	};

	put16(frame + 36, port);
	put16(frame + 24, checksum(frame + 14, 20, 0));
	/* With the pseudo header: addresses, protocol, length. */
	put16(frame + 50, checksum(frame + 26, 28, 6 + 20));
	send_frames(frame, sizeof(frame), 1);
}

/* Return: true if the guest can connect to a port on the host's loopback. */
static bool comes_to_the_host(const char *value)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	struct pollfd listener = { .fd = socket(AF_INET, SOCK_STREAM, 0), .events = POLLIN };
	bool came;

	ck_assert_int_eq(bind(listener.fd, (struct sockaddr *)&address, size), 0);
	ck_assert_int_eq(listen(listener.fd, 1), 0);
	ck_assert_int_eq(getsockname(listener.fd, (struct sockaddr *)&address, &size), 0);
	start_net(value, F_MERGE);
	offer(0, 2000);
	offer(1, 2000);
	send_frames(arp_request, sizeof(arp_request), 1);
	send_syn(ntohs(address.sin_port));
	/* Frames are taken in order: the answer to this one means that the SYN was seen. */
	send_frames(arp_request, sizeof(arp_request), 1);
	ck_assert(driver_wait(&driver, RECEIVE, 2));
	came = poll(&listener, 1, 1000) > 0;
	stop();
	close(listener.fd);
	return came;
}

START_TEST(restrict_keeps_the_guest_from_the_host)
{
	ck_assert(comes_to_the_host("user,mac=02:00:00:00:00:01"));
	ck_assert(!comes_to_the_host("user,mac=02:00:00:00:00:01,restrict"));
}
END_TEST

/* Send frames that are nearly right, and take no answers. */
START_TEST(user_network_lives_with_any_frame)
{
	static const uint16_t types[] = { 0x0806, 0x0800, 0x86dd, 0x88f8 };
	uint8_t frame[1600];
	const struct virtio_net *card;
	unsigned int i, at;

	start_net("user,mac=02:00:00:00:00:01", F_MERGE);
	card = device.private;
	for (i = 0; i < 3000; i++) {
		size_t size = 14 + unit_random() % (sizeof(frame) - 14);
		uint16_t type = types[i % ARRAY_SIZE(types)];

		for (at = 0; at < size; at++)
			frame[at] = unit_random() % 3 ? 0 : unit_random();
		memcpy(frame, arp_request, 12);
		frame[12] = type >> 8;
		frame[13] = type;
		if (type == 0x0800)
			frame[14] = 0x45;
		send_frames(frame, size, 1);
	}
	for (i = 0; i < 2000; i++)
		send_frames(arp_request, sizeof(arp_request), DRIVER_ENTRIES);
	ck_assert_uint_le(card->net.waiting, 1 << 20);
	offer(0, 2000);
	ck_assert(driver_wait(&driver, RECEIVE, 1));
	ck_assert_int_eq(unit_messages, 0);
	stop();
}
END_TEST

/* Another guest, with a driver of its own, at the other end of socket:PATH. */
static struct virtio_device other_device;
static struct driver other;
static char cable[100], cable_value[120];

static void start_other(uint64_t features)
{
	driver_init(&other);
	ck_assert_int_eq(virtio_net_kind.init(&other_device, &other.memory, cable_value), 0);
	other.device = &other_device;
	ck_assert_int_eq(virtio_device_start(&other_device), 0);
	driver_start(&other, features);
}

static void stop_other(void)
{
	virtio_device_exit(&other_device);
	guest_memory_exit(&other.memory);
}

static void name_cable(void)
{
	snprintf(cable, sizeof(cable), "%s/cable", unit_directory());
	snprintf(cable_value, sizeof(cable_value), "socket:%s", cable);
}

static void remove_cable(void)
{
	char lock[120];

	ck_assert_int_eq(access(cable, F_OK), -1);
	snprintf(lock, sizeof(lock), "%s.lock", cable);
	ck_assert_int_eq(unlink(lock), 0);
	*strrchr(cable, '/') = '\0';
	ck_assert_int_eq(rmdir(cable), 0);
}

static bool link_is(struct virtio_device *card, bool up)
{
	int tries;

	for (tries = 0; tries < 10000; tries++) {
		if (virtio_mmio_read(card, VIRTIO_MMIO_CONFIG + 6, 2) == up)
			return true;
		usleep(1000);
	}
	return false;
}

/* Send a packet of segments to the other guest, which gets it unchanged, or not at all. */
static void cross(unsigned int number, uint64_t features)
{
	struct virtio_net_hdr_v1 header = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 34, .csum_offset = 16,
		.gso_type = features ? VIRTIO_NET_HDR_GSO_TCPV4 : 0, .gso_size = features ? 1000 : 0,
	};
	uint8_t *frame = other.memory.base + RECEIVED(0);
	uint16_t sent = driver_done(&driver, TRANSMIT);

	driver_put_desc(&other, RECEIVE, 0, RECEIVED(0), 2000, WRITE, 0);
	driver_offer(&other, RECEIVE, 0);
	driver_kick(&other, RECEIVE);
	memset(memory(SENT), number, 1500);
	memcpy(memory(SENT), &header, HEADER);
	driver_put_desc(&driver, TRANSMIT, 0, SENT, 1500, 0, 0);
	driver_offer(&driver, TRANSMIT, 0);
	driver_kick(&driver, TRANSMIT);
	ck_assert(driver_wait(&other, RECEIVE, 1));
	/* The frame may arrive before the device gives back the buffer it was sent from. */
	ck_assert(driver_wait(&driver, TRANSMIT, sent + 1));
	ck_assert_uint_eq(used(TRANSMIT, sent)->id, 0);
	ck_assert_uint_eq(driver_used(&other, RECEIVE)->ring[0].len, 1500);
	ck_assert_uint_eq(frame[0], features ? header.flags : 0);
	ck_assert_uint_eq(frame[1], header.gso_type);
	ck_assert_mem_eq(frame + HEADER, memory(SENT) + HEADER, features ? 1500 - HEADER : 50);
}

START_TEST(two_guests_meet_at_a_socket)
{
	const uint64_t offloads = NET_FEATURE(GUEST_CSUM) | NET_FEATURE(GUEST_TSO4);
	unsigned int i;

	name_cable();
	start_net(cable_value, 0);
	ck_assert(link_is(&device, false));
	/* No other guest is there: packets are lost. */
	send_frames(arp_request, sizeof(arp_request), DRIVER_ENTRIES);
	for (i = 0; i < 6; i++) {
		start_other(i % 2 ? offloads : 0);
		ck_assert(link_is(&other_device, true));
		ck_assert(link_is(&device, true));
		cross(i, i % 2 ? offloads : 0);
		stop_other();
		ck_assert(link_is(&device, false));
	}
	ck_assert_int_eq(unit_messages, 0);
	stop();
	remove_cable();
}
END_TEST

/* The first guest goes: the second one is first now, and a newcomer is second. */
START_TEST(guest_that_is_left_at_a_socket_waits_there)
{
	unsigned int i;

	name_cable();
	start_net(cable_value, 0);
	for (i = 0; i < 3; i++) {
		start_other(0);
		ck_assert(link_is(&device, true));
		stop();
		ck_assert(link_is(&other_device, false));
		start_net(cable_value, 0);
		ck_assert(link_is(&other_device, true));
		cross(i, 0);
		stop_other();
	}
	stop();
	usleep(100000);
	remove_cable();
}
END_TEST

START_TEST(third_guest_at_a_socket_is_refused)
{
	struct virtio_device third;

	name_cable();
	start_net(cable_value, 0);
	start_other(0);
	ck_assert(link_is(&device, true));
	unit_refused(virtio_net_kind.init(&third, &driver.memory, cable_value),
		     "has two guests already: choose another name");
	virtio_device_exit(&third);
	cross(1, 0);
	stop_other();
	stop();
	remove_cable();
}
END_TEST

/* A guest that takes no packets can't hold up the other guest's driver. */
START_TEST(guest_that_takes_nothing_holds_up_nobody)
{
	unsigned int i;

	name_cable();
	start_net(cable_value, 0);
	start_other(0);
	ck_assert(link_is(&device, true));
	memset(memory(SENT), 0, 60000);
	for (i = 0; i < 30; i++) {
		driver_put_desc(&driver, TRANSMIT, 0, SENT, 60000, 0, 0);
		driver_offer(&driver, TRANSMIT, 0);
		driver_kick(&driver, TRANSMIT);
		ck_assert(driver_wait(&driver, TRANSMIT, i + 1));
	}
	/* A third guest is told, too, while packets wait. */
	stop();
	start_net(cable_value, 0);
	ck_assert(link_is(&device, true));
	stop_other();
	stop();
	remove_cable();
}
END_TEST

START_TEST(what_is_no_socket_is_refused)
{
	char value[200];
	int fd;

	name_cable();
	driver_init(&driver);
	fd = open(cable, O_CREAT | O_WRONLY, 0600);
	refused(cable_value, "is a file, not a guest's network: choose another name");
	close(fd);
	ck_assert_int_eq(unlink(cable), 0);
	refused("socket:/nonexistent/cable", "can't use the network '/nonexistent/cable': No such");
	refused("socket", "needs to know more: --net=socket:PATH");
	snprintf(value, sizeof(value), "socket:/tmp/%0120d", 1);
	refused(value, "is too long for a socket");
	snprintf(value, sizeof(value), "%s,hostfwd=x", cable_value);
	refused(value, "does not know 'hostfwd=x'");
	guest_memory_exit(&driver.memory);
	remove_cable();
}
END_TEST

static int listen_at(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	strcpy(address.sun_path, name);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(fd, 4), 0);
	return fd;
}

/* Greet the next guest, leave, and make the socket's name and its directory's lead to @outside. */
static void greet_and_leave(int lobby, const char *outside)
{
	char folder[120], link[160], moved[160];
	int peer = accept(lobby, NULL, NULL);

	ck_assert_int_eq(send(peer, "lguest network 1", 16, 0), 16);
	usleep(300000);
	snprintf(link, sizeof(link), "%s/cable", outside);
	snprintf(moved, sizeof(moved), "%s/moved", outside);
	strcpy(folder, cable);
	*strrchr(folder, '/') = '\0';
	ck_assert_int_eq(unlink(cable), 0);
	ck_assert_int_eq(symlink(link, cable), 0);
	ck_assert_int_eq(rename(folder, moved), 0);
	ck_assert_int_eq(symlink(outside, folder), 0);
	close(peer);
}

/* A guest that can write to the directory must not choose whom we connect to. */
START_TEST(guest_that_is_left_follows_no_link)
{
	struct pollfd strangers = { .events = POLLIN };
	char outside[80], name[100];
	pid_t first;
	int lobby;

	name_cable();
	strcpy(outside, unit_directory());
	snprintf(name, sizeof(name), "%s/cable", outside);
	strangers.fd = listen_at(name);
	lobby = listen_at(cable);
	first = fork();
	if (!first) {
		greet_and_leave(lobby, outside);
		_exit(0);
	}
	close(lobby);
	start_net(cable_value, 0);
	ck_assert(link_is(&device, true));
	ck_assert(link_is(&device, false));
	/* The card looks for another guest twice a second. */
	ck_assert_int_eq(poll(&strangers, 1, 1500), 0);
	ck_assert_int_eq(waitpid(first, NULL, 0), first);
	stop();
}
END_TEST

/* A launcher that was killed leaves its socket behind. */
START_TEST(socket_that_nobody_has_is_taken_over)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	name_cable();
	strcpy(address.sun_path, cable);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	start_net(cable_value, 0);
	start_other(0);
	ck_assert(link_is(&device, true));
	stop_other();
	stop();
	remove_cable();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("net kinds");

	UNIT_ADD(suite, mac_is_in_the_configuration);
	UNIT_ADD(suite, what_is_no_network_is_refused);
	UNIT_ADD(suite, ports_that_can_not_be_forwarded_are_refused);
	UNIT_ADD(suite, user_network_answers);
	UNIT_ADD(suite, restrict_keeps_the_guest_from_the_host);
	UNIT_ADD(suite, user_network_lives_with_any_frame);
	UNIT_ADD(suite, two_guests_meet_at_a_socket);
	UNIT_ADD(suite, guest_that_is_left_at_a_socket_waits_there);
	UNIT_ADD(suite, third_guest_at_a_socket_is_refused);
	UNIT_ADD(suite, guest_that_takes_nothing_holds_up_nobody);
	UNIT_ADD(suite, what_is_no_socket_is_refused);
	UNIT_ADD(suite, guest_that_is_left_follows_no_link);
	UNIT_ADD(suite, socket_that_nobody_has_is_taken_over);
	return unit_run(suite);
}
