// SPDX-License-Identifier: GPL-2.0-only
/* The file of a disk: which files are allowed, its serial number, and sharing with others. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "block_disk.h"
#include "base/compiler.h"
#include "unit.h"
#include "disk/disk_lock.h"

START_TEST(disk_has_a_serial_number)
{
	start(",serial=a,,b.0123456789abcde");
	ck_assert_int_eq(request(VIRTIO_BLK_T_GET_ID, 0, 20), VIRTIO_BLK_S_OK);
	ck_assert_mem_eq(data, "a,b.0123456789abcde", 20);
	stop();
	make_disk(512);
	driver_init(&driver);
	unit_refused(virtio_block_kind.init(&device, &driver.memory, value(",serial=123456789012345678901")),
		     "too long for a disk's serial number: 20 letters");
	virtio_device_exit(&device);
	unlink(path);
}
END_TEST

START_TEST(disk_that_can_not_be_is_refused)
{
	static const struct { const char *words, *message; } wrong[] = {
		{ ",cache=unsafe", "no cache=unsafe: say cache=none, cache=writeback or cache=writethrough" },
		{ ",rw", "--block does not know 'rw'" },
		{ ",size=3", "--block does not know 'size=3'" },
	};
	struct virtio_device other;
	unsigned int i;
	char line[80];

	driver_init(&driver);
	unit_refused(virtio_block_kind.init(&device, &driver.memory, "/nonexistent"),
		     "can't open the disk");
	virtio_device_exit(&device);
	unit_refused(virtio_block_kind.init(&device, &driver.memory, "/dev/null"),
		     "no file or block device");
	virtio_device_exit(&device);
	make_disk(100);
	unit_refused(virtio_block_kind.init(&device, &driver.memory, path),
		     "at least 512 bytes");
	virtio_device_exit(&device);
	ck_assert_int_eq(truncate(path, 1000), 0);
	unit_refused(virtio_block_kind.init(&device, &driver.memory, path),
		     "has 1000 bytes, which is no multiple of 512: truncate -s %512 '/tmp/");
	virtio_device_exit(&device);
	ck_assert_int_eq(truncate(path, 4096), 0);
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		unit_refused(virtio_block_kind.init(&device, &driver.memory, value(wrong[i].words)),
			     wrong[i].message);
		virtio_device_exit(&device);
	}
	ck_assert_int_eq(virtio_block_kind.init(&device, &driver.memory, path), 0);
	snprintf(line, sizeof(line), "in use by process %d (test-block-open): ", getpid());
	unit_refused(virtio_block_kind.init(&other, &driver.memory, value(",ro")), line);
	virtio_device_exit(&other);
	virtio_device_exit(&device);
	/* Readers can share a disk. */
	ck_assert_int_eq(virtio_block_kind.init(&device, &driver.memory, value(",ro")), 0);
	ck_assert_int_eq(virtio_block_kind.init(&other, &driver.memory, value(",ro")), 0);
	virtio_device_exit(&other);
	unit_refused(virtio_block_kind.init(&other, &driver.memory, path), line);
	virtio_device_exit(&other);
	virtio_device_exit(&device);
	unlink(path);
}
END_TEST

/* Does qemu-img resize the disk? Its output goes to @said. */
static bool qemu_resizes(char *said, size_t room)
{
	char command[256];
	FILE *out;

	snprintf(command, sizeof(command), "qemu-img resize -f raw %s 2M 2>&1", path);
	out = popen(command, "r");
	said[fread(said, 1, room - 1, out)] = '\0';
	return !pclose(out);
}

START_TEST(qemu_sees_that_a_disk_is_in_use)
{
	char said[512];

	if (system("qemu-img --version >/dev/null 2>&1"))
		return;
	driver_init(&driver);
	make_disk(1 << 20);
	ck_assert_int_eq(virtio_block_kind.init(&device, &driver.memory, path), 0);
	ck_assert(!qemu_resizes(said, sizeof(said)));
	ck_assert_msg(strstr(said, "lock") != NULL, "%s", said);
	virtio_device_exit(&device);
	ck_assert_int_eq(virtio_block_kind.init(&device, &driver.memory, value(",ro")), 0);
	ck_assert(!qemu_resizes(said, sizeof(said)));
	virtio_device_exit(&device);
	ck_assert_msg(qemu_resizes(said, sizeof(said)), "%s", said);
	unlink(path);
}
END_TEST

/* Return: QEMU's storage daemon, which has opened the disk for writing; or 0. */
static pid_t start_daemon(void)
{
	char blockdev[256], export[256], address[80];
	pid_t daemon = fork();
	int tries;

	snprintf(address, sizeof(address), "%s.socket", path);
	snprintf(blockdev, sizeof(blockdev), "driver=file,node-name=disk,filename=%s", path);
	snprintf(export, sizeof(export),
		 "type=vhost-user-blk,id=disk,node-name=disk,writable=on,addr.type=unix,addr.path=%s",
		 address);
	if (!daemon) {
		execlp("qemu-storage-daemon", "qemu-storage-daemon", "--blockdev", blockdev,
		       "--export", export, NULL);
		_exit(127);
	}
	for (tries = 0; tries < 10000 && access(address, F_OK); tries++) {
		if (waitpid(daemon, NULL, WNOHANG) == daemon)
			return 0;
		usleep(1000);
	}
	unlink(address);
	return daemon;
}

START_TEST(disk_that_qemu_has_is_refused)
{
	pid_t daemon;

	driver_init(&driver);
	make_disk(1 << 20);
	daemon = start_daemon();
	if (!daemon)
		return;
	unit_refused(virtio_block_kind.init(&device, &driver.memory, path),
		     "in use by another program");
	virtio_device_exit(&device);
	unit_refused(virtio_block_kind.init(&device, &driver.memory, value(",ro")),
		     "in use by another program");
	virtio_device_exit(&device);
	kill(daemon, SIGTERM);
	waitpid(daemon, NULL, 0);
	ck_assert_int_eq(virtio_block_kind.init(&device, &driver.memory, path), 0);
	virtio_device_exit(&device);
	unlink(path);
}
END_TEST

static void *give_up_lock(void *fd)
{
	usleep(300000);
	close(*(int *)fd);
	return NULL;
}

/* udev, for example, opens a block device for a moment after each writer has closed it. */
START_TEST(who_has_a_disk_for_a_moment_is_waited_for)
{
	pthread_t other;
	int fd, its;

	make_disk(1 << 20);
	fd = open(path, O_RDWR);
	its = open(path, O_RDONLY);
	ck_assert_int_eq(flock(its, LOCK_SH), 0);
	ck_assert_int_eq(disk_lock(fd, false, 0), -EBUSY);
	ck_assert_int_eq(disk_lock(fd, false, 100), -EBUSY);
	pthread_create(&other, NULL, give_up_lock, &its);
	ck_assert_int_eq(disk_lock(fd, false, 60000), 0);
	pthread_join(other, NULL);
	close(fd);
	unlink(path);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("block-open");

	UNIT_ADD(suite, disk_has_a_serial_number);
	UNIT_ADD(suite, disk_that_can_not_be_is_refused);
	UNIT_ADD(suite, qemu_sees_that_a_disk_is_in_use);
	UNIT_ADD(suite, disk_that_qemu_has_is_refused);
	UNIT_ADD(suite, who_has_a_disk_for_a_moment_is_waited_for);
	return unit_run(suite);
}
