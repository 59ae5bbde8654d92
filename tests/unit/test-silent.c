// SPDX-License-Identifier: GPL-2.0-only
/*
 * Peers that never answer: whoever waits for one of them has a limit, or can be got out.
 * Each test says by what it is held up, and fails when that takes too long.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_9p.h>
#include <linux/virtio_mmio.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "driver.h"
#include "p9_client.h"
#include "unit.h"
#include "vhost_program.h"
#include "virtio/vhost_user.h"

static struct virtio_device device;
static struct driver driver;

/* A child of this test goes with it. Return: its number, 0 in the child. */
static pid_t start_child(void)
{
	pid_t child = fork();

	ck_assert_int_ge(child, 0);
	return child;
}

static void end_child(pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

/*
 * Whoever owns a file has a lease on it, and gives it up after so many ms, or never.
 * Return: the process.
 */
static pid_t hold_lease(const char *name, int gives_up_ms)
{
	int ready[2], fd;
	pid_t child;
	sigset_t set;
	char byte;

	ck_assert_int_eq(pipe(ready), 0);
	child = start_child();
	if (!child) {
		sigemptyset(&set);
		sigaddset(&set, SIGIO);
		sigprocmask(SIG_BLOCK, &set, NULL);
		fd = open(name, O_RDWR);
		byte = fd >= 0 && !fcntl(fd, F_SETLEASE, F_WRLCK) ? 'y' : 'n';
		if (write(ready[1], &byte, 1) < 0)
			_exit(1);
		if (gives_up_ms < 0)
			pause();
		usleep(gives_up_ms * 1000);
		_exit(0);
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	ck_assert_int_eq(byte, 'y');
	close(ready[0]);
	close(ready[1]);
	return child;
}

START_TEST(holder_of_a_lease)
{
	int64_t begin = now_ms();
	pid_t child;

	begin_sharing(false);
	write_file(path("shared/file"), "text");
	child = hold_lease(path("shared/file"), -1);
	ck_assert_int_eq(walk(0, 1, "file"), 0);
	ck_assert_int_eq(ask(P9_TLOPEN, "44", N(1), N(O_RDONLY)), -EAGAIN);
	ck_assert_int_eq(ask(P9_TSETATTR, "444448" "8888", N(1), N(8), N(0), N(0), N(0), N(0),
			     N(0), N(0), N(0), N(0)), -EAGAIN);
	ck_assert_int_eq(create(0, 2, "file", O_RDWR | O_TRUNC), -EAGAIN);
	ck_assert_int_lt(now_ms() - begin, 10000);
	end_child(child);
	ck_assert_int_eq(clunk(1), 0);
	ck_assert_int_eq(clunk(2), 0);
	/* A good one does as it is told. */
	child = hold_lease(path("shared/file"), 200);
	ck_assert_int_eq(walk(0, 1, "file"), 0);
	ck_assert_int_eq(ask(P9_TLOPEN, "44", N(1), N(O_RDWR)), 0);
	/* What is open waits as it always has: for files there is nothing to wait for. */
	ck_assert_int_eq(fcntl(p9_fid_find(&server, 1)->fd, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_eq(put(1, 0, "more"), 0);
	end_child(child);
	end_sharing();
}
END_TEST

/* Return: /dev/fuse, behind a mounted file system that nobody serves; -1: not here. */
static int mount_silent(const char *directory)
{
	char options[64];
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	ck_assert_int_eq(mkdir(directory, 0755), 0);
	if (fd < 0)
		return -1;
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", fd);
	if (!mount("silent", directory, "fuse", 0, options))
		return fd;
	close(fd);
	return -1;
}

static void offer_message(unsigned int type, const char *fields, ...)
{
	uint8_t *memory = driver.memory.base + DRIVER_BUFFERS;
	va_list list;
	size_t size;

	va_start(list, fields);
	size = make_message(memory, type, fields, list);
	va_end(list);
	driver_put_desc(&driver, 0, 0, DRIVER_BUFFERS, size, VRING_DESC_F_NEXT, 1);
	driver_put_desc(&driver, 0, 1, DRIVER_BUFFERS + 4096, 4096, VRING_DESC_F_WRITE, 0);
	driver_offer(&driver, 0, 0);
	driver_kick(&driver, 0);
}

/*
 * A share has a file system in it that never answers, as a network's whose server is gone.
 * The device's thread waits for it, a driver that resets the device does not.
 */
START_TEST(file_system_that_hangs)
{
	int64_t begin;
	int fuse = -1;

	if (!unshare(CLONE_NEWNS))
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	begin_sharing(false);
	fuse = mount_silent(path("shared/hangs"));
	if (fuse < 0) {
		end_sharing();
		return;		/* this user can't mount: tests/selftests do it as root */
	}
	driver_init(&driver);
	ck_assert_int_eq(virtio_p9_kind.init(&device, &driver.memory, path("shared")), 0);
	driver_run(&driver, &device, 1ULL << VIRTIO_9P_MOUNT_TAG);
	offer_message(P9_TATTACH, "44ss4", N(0), N(P9_NOFID), "", "", N(0));
	ck_assert(driver_wait(&driver, 0, 1));
	offer_message(P9_TWALK, "442ss", N(0), N(1), N(2), "hangs", "file");
	usleep(300 * 1000);
	ck_assert_uint_eq(driver_done(&driver, 0), 1);
	begin = now_ms();
	driver_reset(&driver);
	ck_assert_int_lt(now_ms() - begin, 2000);
	/* A late answer goes nowhere: the memory is the driver's. */
	memset(driver.memory.base + DRIVER_BUFFERS, 0x5a, 8192);
	close(fuse);
	driver_start(&driver, 1ULL << VIRTIO_9P_MOUNT_TAG);
	usleep(300 * 1000);
	ck_assert_uint_eq(driver.memory.base[DRIVER_BUFFERS + 4096], 0x5a);
	ck_assert_uint_eq(driver_done(&driver, 0), 0);
	/* And the device goes on. */
	offer_message(P9_TVERSION, "4s", N(8192), "9P2000.L");
	ck_assert(driver_wait(&driver, 0, 1));
	driver_stop(&driver);
	ck_assert_int_eq(unit_messages, 0);
	umount2(path("shared/hangs"), MNT_DETACH);
	end_sharing();
}
END_TEST

/* It has the Guest's disk, and says nothing more from some message on. */
static void start_silent(unsigned int silent_from)
{
	vhost_user_patience_ms = 1500;
	program_start(silent_from);
	driver_init(&driver);
	guest_memory_exit(&driver.memory);
	ck_assert_int_eq(guest_memory_init_shared(&driver.memory, DRIVER_MEMORY), 0);
}

static void end_silent(void)
{
	driver_stop(&driver);
	program_end();
}

START_TEST(program_of_a_disk_that_never_speaks)
{
	int64_t begin = now_ms();

	start_silent(GET_FEATURES);
	unit_refused(virtio_block_kind.init(&device, &driver.memory, program_value), "timed out");
	ck_assert_int_lt(now_ms() - begin, 5000);
	driver.device = &device;
	end_silent();
}
END_TEST

START_TEST(program_of_a_disk_that_does_not_start)
{
	int64_t begin;
	int tries;

	start_silent(SET_FEATURES);
	ck_assert_int_eq(virtio_block_kind.init(&device, &driver.memory, program_value), 0);
	begin = now_ms();
	driver_run(&driver, &device, 0);
	/* No virtual CPU waits for it. */
	ck_assert_int_lt(now_ms() - begin, 1000);
	for (tries = 0; !driver_needs_reset(&driver) && tries < 10000; tries++)
		usleep(1000);
	unit_refused(-1, "timed out");
	ck_assert_int_lt(now_ms() - begin, 5000);
	ck_assert(driver_interrupted(&driver));
	/* The next driver is told at once. */
	driver_reset(&driver);
	driver_start(&driver, 0);
	ck_assert(driver_needs_reset(&driver));
	end_silent();
}
END_TEST

static void *reset_driver(void *argument)
{
	driver_reset(&driver);
	return argument;
}

START_TEST(program_of_a_disk_that_does_not_let_go)
{
	int64_t begin;
	pthread_t thread;

	start_silent(GET_VRING_BASE);
	ck_assert_int_eq(virtio_block_kind.init(&device, &driver.memory, program_value), 0);
	driver_run(&driver, &device, 0);
	ck_assert(program_hears(SET_VRING_ENABLE, 1));
	begin = now_ms();
	pthread_create(&thread, NULL, reset_driver, NULL);
	ck_assert(program_hears(GET_VRING_BASE, 1));
	/* Other virtual CPUs do not wait with that one. */
	driver_read(&driver, VIRTIO_MMIO_STATUS);
	ck_assert_int_lt(now_ms() - begin, 1000);
	pthread_join(thread, NULL);
	ck_assert_int_lt(now_ms() - begin, 5000);
	ck_assert_uint_eq(driver_read(&driver, VIRTIO_MMIO_STATUS), 0);
	unit_refused(-1, "timed out");
	end_silent();
}
END_TEST

START_TEST(program_of_a_disk_that_does_not_let_go_at_the_end)
{
	int64_t begin;
	pthread_t thread;

	start_silent(GET_VRING_BASE);
	vhost_user_patience_ms = 60000;
	ck_assert_int_eq(virtio_block_kind.init(&device, &driver.memory, program_value), 0);
	driver_run(&driver, &device, 0);
	ck_assert(program_hears(SET_VRING_ENABLE, 1));
	begin = now_ms();
	pthread_create(&thread, NULL, reset_driver, NULL);
	ck_assert(program_hears(GET_VRING_BASE, 1));
	virtio_device_leave(&device);
	pthread_join(thread, NULL);
	end_silent();
	ck_assert_int_lt(now_ms() - begin, 5000);
	ck_assert_int_eq(unit_messages, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("silent peers");

	UNIT_ADD(suite, holder_of_a_lease);
	UNIT_ADD(suite, file_system_that_hangs);
	UNIT_ADD(suite, program_of_a_disk_that_never_speaks);
	UNIT_ADD(suite, program_of_a_disk_that_does_not_start);
	UNIT_ADD(suite, program_of_a_disk_that_does_not_let_go);
	UNIT_ADD(suite, program_of_a_disk_that_does_not_let_go_at_the_end);
	return unit_run(suite);
}
