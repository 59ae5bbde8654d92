// SPDX-License-Identifier: GPL-2.0-only
/*
 * Peers that never answer: each wait for one of them has a time limit, or can be ended.
 * Each test's name says what it waits for; the test fails if that takes too long.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_9p.h>
#include <linux/virtio_mmio.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "driver.h"
#include "base/exit_status.h"
#include "last_resort.h"
#include "p9_client.h"
#include "silent_peer.h"
#include "base/system_log.h"
#include "unit.h"
#include "vhost_program.h"
#include "virtio/vhost_user.h"

static struct virtio_device device;
static struct driver driver;

static int gives_up_ms;

static bool take_lease(const char *name)
{
	int fd = open(name, O_RDWR);
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGALRM, SIG_DFL);	/* libcheck's handler would end all tests */
	if (gives_up_ms)
		ualarm(gives_up_ms * 1000, 0);
	return fd >= 0 && !fcntl(fd, F_SETLEASE, F_WRLCK);
}

/*
 * Start a process that holds a lease on a file. When it is asked to give up the lease, it ends
 * after @ms; 0: never. Return: the process.
 */
static pid_t hold_lease(const char *name, int ms)
{
	gives_up_ms = ms;
	return start_holder(take_lease, name);
}

START_TEST(holder_of_a_lease)
{
	int64_t begin = now_ms();
	pid_t child;

	begin_sharing(false);
	write_file(path("shared/file"), "text");
	child = hold_lease(path("shared/file"), 0);
	ck_assert_int_eq(walk(0, 1, "file"), 0);
	ck_assert_int_eq(ask(P9_TLOPEN, "44", N(1), N(O_RDONLY)), -EAGAIN);
	ck_assert_int_eq(ask(P9_TSETATTR, "444448" "8888", N(1), N(8), N(0), N(0), N(0), N(0),
			     N(0), N(0), N(0), N(0)), -EAGAIN);
	ck_assert_int_eq(create(0, 2, "file", O_RDWR | O_TRUNC), -EAGAIN);
	ck_assert_int_lt(now_ms() - begin, 10000);
	end_child(child);
	ck_assert_int_eq(clunk(1), 0);
	ck_assert_int_eq(clunk(2), 0);
	/* A good holder gives up its lease. */
	child = hold_lease(path("shared/file"), 200);
	ck_assert_int_eq(walk(0, 1, "file"), 0);
	ck_assert_int_eq(ask(P9_TLOPEN, "44", N(1), N(O_RDWR)), 0);
	/* The open file does not keep O_NONBLOCK. */
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

/* Share a directory with such a file system in it. Return: the same as mount_silent(). */
static int begin_hanging(void)
{
	int fuse;

	/* Mount in a namespace of this test alone, which ends with the test. */
	if (!unshare(CLONE_NEWNS))
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	begin_sharing(false);
	fuse = mount_silent(path("shared/hangs"));
	if (fuse < 0)
		end_sharing();		/* this user may not mount */
	return fuse;
}

/* Closing /dev/fuse gives an error to all that wait. */
static void end_hanging(int fuse)
{
	if (fuse >= 0)
		close(fuse);
	umount2(path("shared/hangs"), MNT_DETACH);
	end_sharing();
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
 * In a share there is a file system that never answers, like a network file system whose
 * server is gone. The device's thread waits for it, but a driver that resets the device does
 * not.
 */
START_TEST(file_system_that_hangs)
{
	int64_t begin;
	int fuse = begin_hanging();

	if (fuse < 0)
		return;
	driver_init(&driver);
	ck_assert_int_eq(virtio_p9_kind.init(&device, &driver.memory, path("shared")), 0);
	driver_run(&driver, &device, 1ULL << VIRTIO_9P_MOUNT_TAG);
	offer_message(P9_TATTACH, "44ss4", N(0), N(P9_NOFID), "", "", N(0));
	ck_assert(driver_wait(&driver, 0, 1));
	offer_message(P9_TWALK, "442ss", N(0), N(1), N(2), "hangs", "file");
	usleep(500 * 1000);
	ck_assert_uint_eq(driver_done(&driver, 0), 1);
	begin = now_ms();
	driver_reset(&driver);
	ck_assert_int_lt(now_ms() - begin, 2000);
	/* A late answer is not written to memory, which the driver uses again. */
	memset(driver.memory.base + DRIVER_BUFFERS, 0x5a, 8192);
	close(fuse);
	driver_start(&driver, 1ULL << VIRTIO_9P_MOUNT_TAG);
	usleep(300 * 1000);
	ck_assert_uint_eq(driver.memory.base[DRIVER_BUFFERS + 4096], 0x5a);
	ck_assert_uint_eq(driver_done(&driver, 0), 0);
	/* The device works on. */
	offer_message(P9_TVERSION, "4s", N(8192), "9P2000.L");
	ck_assert(driver_wait(&driver, 0, 1));
	driver_stop(&driver);
	ck_assert_int_eq(unit_messages, 0);
	end_hanging(-1);
}
END_TEST

static atomic_bool is_about_to_hang;

static void hang(struct virtio_queue *queue)
{
	(void)queue;
	is_about_to_hang = true;
	open(path("shared/hangs/file"), O_RDONLY);
}

static const struct virtio_ops hanging_ops = {
	.name = "test device", .id = 42, .queues = 1, .run = hang,
};

/* A process with a device whose thread can't be ended, because it waits for a disk, say. */
static void end_with_a_thread_that_hangs(void)
{
	driver_init(&driver);
	if (last_resort_init() || virtio_device_init(&device, &hanging_ops, &driver.memory))
		_exit(1);
	driver_run(&driver, &device, 0);
	while (!is_about_to_hang)
		usleep(1000);
	usleep(500 * 1000);
	/* Take back the first limit; of the next two the earlier one counts. */
	last_resort_in(1);
	last_resort_off();
	usleep(50 * 1000);
	last_resort_in(1000);
	last_resort_in(100 * 1000);
	driver_stop(&driver);
	_exit(2);
}

START_TEST(file_system_that_hangs_at_the_end)
{
	int64_t begin = now_ms();
	int fuse, status;
	pid_t child;

	fuse = begin_hanging();
	if (fuse < 0)
		return;
	child = start_child();
	if (!child)
		end_with_a_thread_that_hangs();
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), EXIT_CRASHED);
	ck_assert_int_lt(now_ms() - begin, 10000);
	end_hanging(fuse);
}
END_TEST

/* Start a program that serves the guest's disk, and is silent from this message on. */
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
	/* No virtual CPU waits for the program. */
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
	/* Other virtual CPUs do not wait together with the first one. */
	driver_read(&driver, VIRTIO_MMIO_STATUS);
	ck_assert_int_lt(now_ms() - begin, 1000);
	pthread_join(thread, NULL);
	ck_assert_int_lt(now_ms() - begin, 5000);
	ck_assert_uint_eq(driver_read(&driver, VIRTIO_MMIO_STATUS), 0);
	unit_refused(-1, "timed out");
	end_silent();
}
END_TEST

/* When a guest ends, no virtual CPU waits for the program; but the next start has to. */
START_TEST(program_of_a_disk_that_does_not_let_go_for_a_restart)
{
	pthread_t thread;

	start_silent(GET_VRING_BASE);
	ck_assert_int_eq(virtio_block_kind.init(&device, &driver.memory, program_value), 0);
	driver_run(&driver, &device, 0);
	ck_assert(program_hears(SET_VRING_ENABLE, 1));
	pthread_create(&thread, NULL, reset_driver, NULL);
	ck_assert(program_hears(GET_VRING_BASE, 1));
	virtio_device_leave(&device);
	pthread_join(thread, NULL);
	ck_assert_int_eq(unit_messages, 0);
	virtio_device_reset(&device);
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

static char cable[128], cable_value[160];

static int start_card(void)
{
	driver_init(&driver);
	driver.device = &device;
	return virtio_net_kind.init(&device, &driver.memory, cable_value);
}

START_TEST(holder_of_a_cables_lock)
{
	int64_t begin = now_ms();
	char name[160];
	pid_t child;

	snprintf(cable, sizeof(cable), "%s/cable", unit_directory());
	snprintf(cable_value, sizeof(cable_value), "socket:%s", cable);
	/* Anybody can lock the directory. */
	strcpy(name, cable);
	*strrchr(name, '/') = '\0';
	child = hold_lock(name);
	ck_assert_int_eq(start_card(), 0);
	driver_stop(&driver);
	end_child(child);
	/* The cable's own lock does not block anybody for ever, either. */
	snprintf(name, sizeof(name), "%s.lock", cable);
	child = hold_lock(name);
	unit_refused(start_card(), "another process keeps");
	driver_stop(&driver);
	ck_assert_int_lt(now_ms() - begin, 15000);
	end_child(child);
	/* Only a regular file is locked, whatever else has the name. */
	ck_assert_int_eq(unlink(name), 0);
	ck_assert_int_eq(symlink("/dev/null", name), 0);
	unit_refused(start_card(), "Too many levels of symbolic links");
	driver_stop(&driver);
	ck_assert_int_eq(unlink(name), 0);
	ck_assert_int_eq(mkfifo(name, 0600), 0);
	unit_refused(start_card(), "not permitted");
	driver_stop(&driver);
}
END_TEST

/* Make a listener that never greets; its queue has room for @backlog connections. */
static int listen_mutely(int backlog)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, cable);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(fd, backlog), 0);
	return fd;
}

/* The other guest goes, and a silent one takes its place. */
START_TEST(listener_of_a_cable_that_is_mute)
{
	struct driver other = { 0 };
	struct virtio_device first;
	int listener, fd;
	int64_t begin;

	snprintf(cable, sizeof(cable), "%s/cable", unit_directory());
	snprintf(cable_value, sizeof(cable_value), "socket:%s", cable);
	driver_init(&other);
	ck_assert_int_eq(virtio_net_kind.init(&first, &other.memory, cable_value), 0);
	other.device = &first;
	driver_start_threads(&other);
	ck_assert_int_eq(start_card(), 0);
	driver_run(&driver, &device, 0);
	driver_stop(&other);
	listener = listen_mutely(5);
	fd = accept(listener, NULL, NULL);	/* the card has connected, and awaits a greeting */
	ck_assert_int_ge(fd, 0);
	/* Neither the card's driver nor others that want the lock wait. */
	begin = now_ms();
	driver_reset(&driver);
	driver_start(&driver, 0);
	strcat(strcpy(cable_value, cable), ".lock");
	ck_assert_int_eq(flock(open(cable_value, O_RDONLY), LOCK_EX), 0);
	ck_assert_int_lt(now_ms() - begin, 2000);
	driver_stop(&driver);
	ck_assert_int_lt(now_ms() - begin, 3000);
	close(fd);
	close(listener);
}
END_TEST

START_TEST(listener_of_a_cable_that_takes_nobody)
{
	int64_t begin = now_ms();
	int listener, i, fd;

	snprintf(cable, sizeof(cable), "%s/cable", unit_directory());
	snprintf(cable_value, sizeof(cable_value), "socket:%s", cable);
	listener = listen_mutely(0);
	for (i = 0; i < 2; i++) {
		struct sockaddr_un address = { .sun_family = AF_UNIX };

		fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
		strcpy(address.sun_path, cable);
		connect(fd, (struct sockaddr *)&address, sizeof(address));
	}
	unit_refused(start_card(), "does not answer");
	ck_assert_int_lt(now_ms() - begin, 5000);
	driver_stop(&driver);
	close(listener);
}
END_TEST

/* The log's daemon stops reading, and then another one takes its place. */
START_TEST(daemon_of_the_systems_log)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), i;
	int64_t begin = now_ms();
	char text[256] = "";

	snprintf(cable, sizeof(cable), "%s/log", unit_directory());
	strcpy(address.sun_path, cable);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	system_log_open(cable);
	for (i = 0; i < 10000; i++)
		system_log("one of very many lines");
	ck_assert_int_lt(now_ms() - begin, 10000);
	ck_assert_int_gt(recv(fd, text, sizeof(text) - 1, 0), 0);
	/* The format of syslog(3): daemon.notice, a date, the program, the line. */
	ck_assert_msg(!strncmp(text, "<29>", 4) && strstr(text, ": one of very many lines"), "%s", text);
	close(fd);
	ck_assert_int_eq(unlink(cable), 0);
	system_log("nobody is there");
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	system_log("somebody is there again");
	ck_assert_int_gt(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT), 0);
	ck_assert_ptr_nonnull(strstr(text, ": somebody is there again"));
	close(fd);
}
END_TEST

/* Make a listening stream socket whose queue is full, and stays full. */
static int listen_full(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), client;

	snprintf(cable, sizeof(cable), "%s/socket", unit_directory());
	strcpy(address.sun_path, cable);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(fd, 0), 0);
	do
		client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	while (!connect(client, (struct sockaddr *)&address, sizeof(address)));
	return fd;
}

START_TEST(server_of_a_port_that_takes_nobody)
{
	int listener = listen_full();
	int64_t begin = now_ms();

	driver_init(&driver);
	driver.device = &device;
	ck_assert_int_eq(virtio_console_init(&device, &driver.memory, NULL, NULL), 0);
	snprintf(cable_value, sizeof(cable_value), "name:%s", cable);
	unit_refused(virtio_console_add_port(&device, cable_value), "timed out");
	ck_assert_int_lt(now_ms() - begin, 10000);
	driver_stop(&driver);
	close(listener);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("silent peers");

	UNIT_ADD(suite, holder_of_a_lease);
	UNIT_ADD(suite, file_system_that_hangs);
	UNIT_ADD(suite, file_system_that_hangs_at_the_end);
	UNIT_ADD(suite, program_of_a_disk_that_never_speaks);
	UNIT_ADD(suite, program_of_a_disk_that_does_not_start);
	UNIT_ADD(suite, program_of_a_disk_that_does_not_let_go);
	UNIT_ADD(suite, program_of_a_disk_that_does_not_let_go_for_a_restart);
	UNIT_ADD(suite, program_of_a_disk_that_does_not_let_go_at_the_end);
	UNIT_ADD(suite, holder_of_a_cables_lock);
	UNIT_ADD(suite, listener_of_a_cable_that_is_mute);
	UNIT_ADD(suite, listener_of_a_cable_that_takes_nobody);
	UNIT_ADD(suite, daemon_of_the_systems_log);
	UNIT_ADD(suite, server_of_a_port_that_takes_nobody);
	return unit_run(suite);
}
