// SPDX-License-Identifier: GPL-2.0-only
/*
 * A disk that another program serves: qemu-storage-daemon, and programs that break the
 * protocol.
 */
#include <errno.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/compiler.h"
#include "driver.h"
#include "unit.h"

#define WRITE		VRING_DESC_F_WRITE
#define NEXT		VRING_DESC_F_NEXT
#define FEATURES	(1ULL << VIRTIO_BLK_F_FLUSH | 1ULL << VIRTIO_BLK_F_DISCARD | \
			 1ULL << VIRTIO_RING_F_EVENT_IDX | 1ULL << VIRTIO_BLK_F_CONFIG_WCE)
#define DATA		(DRIVER_BUFFERS + 0x1000)
#define SECTORS		2048

static struct virtio_device device;
static struct driver driver;
static char image[128], address[128], value[256];
static pid_t daemon_pid;

static void make_names(void)
{
	const char *directory = unit_directory();

	snprintf(image, sizeof(image), "%s/image", directory);
	snprintf(address, sizeof(address), "%s/socket", directory);
	snprintf(value, sizeof(value), "vhost-user:%s", address);
	fclose(fopen(image, "w"));
	ck_assert_int_eq(truncate(image, SECTORS * 512), 0);
}

static void remove_names(void)
{
	unlink(image);
	unlink(address);
	*strrchr(image, '/') = '\0';
	rmdir(image);
}

static bool somebody_listens(void)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	bool good;

	strcpy(name.sun_path, address);
	good = !connect(fd, (struct sockaddr *)&name, sizeof(name));
	close(fd);
	return good;
}

/* Return: false if there is no such program here. */
static bool start_daemon(void)
{
	char blockdev[256], export[256];
	int tries;

	make_names();
	snprintf(blockdev, sizeof(blockdev), "driver=file,node-name=disk,filename=%s,discard=unmap",
		 image);
	snprintf(export, sizeof(export),
		 "type=vhost-user-blk,id=disk,node-name=disk,writable=on,addr.type=unix,addr.path=%s",
		 address);
	daemon_pid = fork();
	if (!daemon_pid) {
		execlp("qemu-storage-daemon", "qemu-storage-daemon", "--blockdev", blockdev,
		       "--export", export, NULL);
		_exit(127);
	}
	for (tries = 0; tries < 10000 && !somebody_listens(); tries++) {
		if (waitpid(daemon_pid, NULL, WNOHANG) == daemon_pid)
			return false;
		usleep(1000);
	}
	return true;
}

static void stop_daemon(void)
{
	kill(daemon_pid, SIGTERM);
	waitpid(daemon_pid, NULL, 0);
	remove_names();
}

static void init_driver(void)
{
	memset(&driver, 0, sizeof(driver));
	ck_assert_int_eq(guest_memory_init_shared(&driver.memory, DRIVER_MEMORY), 0);
}

static void start(void)
{
	init_driver();
	ck_assert(virtio_block_kind.shares_memory(value));
	ck_assert(!virtio_block_kind.shares_memory(image));
	ck_assert_msg(!virtio_block_kind.init(&device, &driver.memory, value), "%s",
		      unit_last_message);
	driver_run(&driver, &device, FEATURES);
}

static int request(uint32_t type, uint64_t sector, uint32_t size)
{
	struct virtio_blk_outhdr header = { .type = type, .sector = sector };
	uint16_t done = driver_done(&driver, 0);
	uint8_t *memory = driver.memory.base;

	memcpy(memory + DRIVER_BUFFERS, &header, sizeof(header));
	memory[DRIVER_BUFFERS + 16] = 0xee;
	driver_put_desc(&driver, 0, 0, DRIVER_BUFFERS, sizeof(header), NEXT, size ? 1 : 2);
	driver_put_desc(&driver, 0, 1, DATA, size, NEXT | (type == VIRTIO_BLK_T_IN ? WRITE : 0), 2);
	driver_put_desc(&driver, 0, 2, DRIVER_BUFFERS + 16, 1, WRITE, 0);
	/* used_event: interrupt with this one. */
	driver_avail(&driver, 0)->ring[DRIVER_ENTRIES] = done;
	driver_interrupted(&driver);
	driver_offer(&driver, 0, 0);
	driver_kick(&driver, 0);
	ck_assert(driver_wait(&driver, 0, done + 1));
	return memory[DRIVER_BUFFERS + 16];
}

START_TEST(another_program_serves_the_disk)
{
	uint8_t *data;
	struct stat state;
	int round, tries;

	if (!start_daemon())
		return;		/* tests/selftests test it in any case */
	start();
	data = driver.memory.base + DATA;
	ck_assert_uint_eq(driver_read(&driver, VIRTIO_MMIO_CONFIG), SECTORS);
	for (round = 0; round < 20; round++) {
		memset(data, round + 1, 8192);
		ck_assert_int_eq(request(VIRTIO_BLK_T_OUT, 16 * round, 8192), VIRTIO_BLK_S_OK);
		ck_assert_int_eq(request(VIRTIO_BLK_T_FLUSH, 0, 0), VIRTIO_BLK_S_OK);
		/* The program raises the interrupt, and the driver sees why. */
		for (tries = 0; tries < 10000 && !driver_interrupted(&driver); tries++)
			usleep(1000);
		ck_assert_int_lt(tries, 10000);
		ck_assert(driver_read(&driver, VIRTIO_MMIO_INTERRUPT_STATUS) & VIRTIO_MMIO_INT_VRING);
		/* Another driver finds what this one wrote. */
		driver_start(&driver, FEATURES);
		memset(data, 0, 8192);
		ck_assert_int_eq(request(VIRTIO_BLK_T_IN, 16 * round, 8192), VIRTIO_BLK_S_OK);
		ck_assert_uint_eq(data[0], round + 1);
		ck_assert_uint_eq(data[8191], round + 1);
	}
	ck_assert_int_eq(stat(image, &state), 0);
	ck_assert_int_ge(state.st_blocks, 320);
	*(struct virtio_blk_discard_write_zeroes *)data = (struct virtio_blk_discard_write_zeroes) {
		.num_sectors = 320,
	};
	ck_assert_int_eq(request(VIRTIO_BLK_T_DISCARD, 0, 16), VIRTIO_BLK_S_OK);
	ck_assert_int_eq(stat(image, &state), 0);
	ck_assert_int_lt(state.st_blocks, 64);
	virtio_mmio_write(&device, VIRTIO_MMIO_CONFIG + offsetof(struct virtio_blk_config, wce), 1, 0);
	ck_assert_int_eq(request(VIRTIO_BLK_T_IN, SECTORS, 512), VIRTIO_BLK_S_IOERR);
	ck_assert_int_eq(unit_messages, 0);
	driver_stop(&driver);
	stop_daemon();
}
END_TEST

START_TEST(program_that_goes_away_is_told)
{
	int tries;

	if (!start_daemon())
		return;
	start();
	ck_assert_int_eq(request(VIRTIO_BLK_T_IN, 0, 512), VIRTIO_BLK_S_OK);
	stop_daemon();
	for (tries = 0; !unit_messages && tries < 10000; tries++)
		usleep(1000);
	unit_refused(-1, "has gone: the guest's disk answers no more");
	/* A driver that begins anew fails, but does not hang. */
	driver_negotiate(&driver, 1ULL << VIRTIO_F_VERSION_1 | FEATURES);
	driver_set_queue(&driver, 0);
	driver_write(&driver, VIRTIO_MMIO_STATUS,
		     driver_read(&driver, VIRTIO_MMIO_STATUS) | VIRTIO_CONFIG_S_DRIVER_OK);
	for (tries = 0; !driver_needs_reset(&driver) && tries < 10000; tries++)
		usleep(1000);
	ck_assert(driver_needs_reset(&driver));
	driver_stop(&driver);
}
END_TEST

/* A strange program's answer to the first message. */
static struct { uint32_t request, flags, size; uint64_t features; } __attribute__((packed)) answer;
static unsigned int answer_size;

static void *strange_program(void *listening)
{
	char message[12];
	int fd = accept((intptr_t)listening, NULL, NULL);

	ck_assert_int_eq(recv(fd, message, sizeof(message), MSG_WAITALL), sizeof(message));
	ck_assert_int_eq(send(fd, &answer, answer_size, MSG_NOSIGNAL), answer_size);
	close(fd);
	return NULL;
}

static void refuses_strange(uint32_t request_number, uint32_t flags, uint32_t size,
			    uint64_t features, unsigned int bytes, const char *words)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	pthread_t thread;
	int fd;

	make_names();
	answer.request = request_number;
	answer.flags = flags;
	answer.size = size;
	answer.features = features;
	answer_size = bytes;
	strcpy(name.sun_path, address);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	pthread_create(&thread, NULL, strange_program, (void *)(intptr_t)fd);
	init_driver();
	unit_refused(virtio_block_kind.init(&device, &driver.memory, value), words);
	pthread_join(thread, NULL);
	close(fd);
	driver.device = &device;
	driver_stop(&driver);
	remove_names();
}

START_TEST(strange_programs_are_refused)
{
	static const char * const no_device = "does not do as a vhost-user device should";

	init_driver();
	unit_refused(virtio_block_kind.init(&device, &driver.memory, "vhost-user:/nowhere"),
		     "no program serves a disk at '/nowhere'");
	virtio_device_exit(&device);
	unit_refused(virtio_block_kind.init(&device, &driver.memory, "vhost-user:/nowhere,ro"),
		     "does not know 'ro'");
	driver.device = &device;
	driver_stop(&driver);
	refuses_strange(1, 5, 8, 0, 0, "Connection reset");
	refuses_strange(1, 5, 8, ~0ULL, 15, "Connection reset");
	refuses_strange(2, 5, 8, ~0ULL, 20, no_device);
	refuses_strange(1, 1, 8, ~0ULL, 20, no_device);
	refuses_strange(1, 5, 0xffffffff, ~0ULL, 20, no_device);
	/* It has neither protocol features nor virtio 1. */
	refuses_strange(1, 5, 8, 1ULL << 32, 20, "Protocol not supported");
	refuses_strange(1, 5, 8, 1ULL << 30, 20, "Protocol not supported");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vhost-block");

	UNIT_ADD(suite, another_program_serves_the_disk);
	UNIT_ADD(suite, program_that_goes_away_is_told);
	UNIT_ADD(suite, strange_programs_are_refused);
	return unit_run(suite);
}
