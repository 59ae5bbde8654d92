// SPDX-License-Identifier: GPL-2.0-only
/*
 * The server of shared directories: what a client may do and, above all, what it may not do.
 * test-p9-device.c tests its device.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "p9_client.h"
#include "unit.h"

START_TEST(versions_and_sizes_are_agreed)
{
	char version[16];

	begin_sharing(false);
	ck_assert_int_eq(ask(P9_TVERSION, "4s", N(8192), "9P2000.L"), 0);
	ck_assert_uint_eq(p9_get(&answer, 4), 8192);
	ck_assert_uint_eq(p9_fids.taken, 0);
	ck_assert_int_eq(ask(P9_TVERSION, "4s", N(~0U), "9P2000.L"), 0);
	ck_assert_uint_eq(p9_get(&answer, 4), P9_MAX_MESSAGE);
	p9_get_text(&answer, version, sizeof(version));
	ck_assert_str_eq(version, "9P2000.L");
	ck_assert_int_eq(ask(P9_TVERSION, "4s", N(8192), "9P2000.u"), 0);
	p9_get(&answer, 4);
	p9_get_text(&answer, version, sizeof(version));
	ck_assert_str_eq(version, "unknown");
	ck_assert_int_eq(ask(P9_TVERSION, "4s", N(100), "9P2000.L"), -EMSGSIZE);
	ck_assert_int_eq(ask(30, "444s", N(0), N(1), N(0), "user.x"), -EOPNOTSUPP);
	end_sharing();
}
END_TEST

START_TEST(names_that_lead_elsewhere_are_refused)
{
	static const char * const names[] = { "..", ".", "", "a/../..", "/", "/etc", "../secret" };
	unsigned int i;

	begin_sharing(false);
	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		ck_assert_int_eq(walk(0, 1, names[i]), -EINVAL);
		ck_assert_int_eq(create(0, 2, names[i], O_RDWR), -EINVAL);
		ck_assert_int_eq(clunk(2), 0);
		ck_assert_int_eq(ask(P9_TMKDIR, "4s44", N(0), names[i], N(0755), N(0)), -EINVAL);
		ck_assert_int_eq(ask(P9_TSYMLINK, "4ss4", N(0), names[i], "x", N(0)), -EINVAL);
		ck_assert_int_eq(ask(P9_TUNLINKAT, "4s4", N(0), names[i], N(0)), -EINVAL);
		ck_assert_int_eq(ask(P9_TRENAMEAT, "4s4s", N(0), "x", N(0), names[i]), -EINVAL);
	}
	/* A name with a 0 in it, which would end the name early. */
	ck_assert_int_eq(ask(P9_TWALK, "44221", N(0), N(1), N(1), N(1), N(0)), -EINVAL);
	ck_assert_int_eq(ask(P9_TWALK, "4421", N(0), N(1), N(1), N(9)), -EINVAL);
	ck_assert_int_eq(ask(P9_TWALK, "442", N(0), N(1), N(17)), -EINVAL);
	ck_assert_uint_eq(p9_fids.taken, 1);
	end_sharing();
}
END_TEST

START_TEST(links_are_not_followed)
{
	begin_sharing(false);
	ck_assert_int_eq(ask(P9_TSYMLINK, "4ss4", N(0), "out", "..", N(0)), 0);
	ck_assert_int_eq(ask(P9_TSYMLINK, "4ss4", N(0), "file", "../secret", N(0)), 0);
	ck_assert_int_lt(walk2(0, 1, "out", "secret"), 0);
	ck_assert_int_eq(walk(0, 1, "out"), 0);
	ck_assert_int_eq(walk(1, 2, "secret"), -ENOTDIR);
	ck_assert_int_eq(ask(P9_TMKDIR, "4s44", N(1), "d", N(0755), N(0)), -ENOTDIR);
	ck_assert_int_eq(ask(P9_TLOPEN, "44", N(1), N(O_RDONLY)), -ELOOP);
	ck_assert_int_eq(walk(0, 3, "file"), 0);
	ck_assert_int_eq(ask(P9_TLOPEN, "44", N(3), N(O_RDWR)), -ELOOP);
	ck_assert_int_lt(ask(P9_TSETATTR, "44444888888", N(3), N(8), N(0), N(0), N(0), N(0), N(0),
			     N(0), N(0), N(0), N(0)), 0);
	ck_assert_int_lt(ask(P9_TSETATTR, "44444888888", N(3), N(1), N(0), N(0), N(0), N(0), N(0),
			     N(0), N(0), N(0), N(0)), 0);
	/* To create a file by a link's name must not write where the link leads. */
	ck_assert_int_eq(create(0, 4, "file", O_RDWR | O_TRUNC), -ELOOP);
	ck_assert_int_eq(ask(P9_TSYMLINK, "4ss4", N(0), "new", "../new", N(0)), 0);
	ck_assert_int_eq(create(0, 5, "new", O_RDWR), -ELOOP);
	ck_assert_int_ne(access(path("new"), F_OK), 0);
	/* A hard link to a symbolic link links to that link itself. */
	ck_assert_int_eq(ask(P9_TLINK, "44s", N(0), N(3), "hard"), 0);
	ck_assert_int_eq(walk(0, 6, "hard"), 0);
	ck_assert_int_eq(ask(P9_TREADLINK, "4", N(6)), 0);
	ck_assert_uint_eq(p9_get(&answer, 2), strlen("../secret"));
	end_sharing();
}
END_TEST

/* On the host, a directory that the client knows becomes a link that leads outside. */
START_TEST(a_directory_that_turns_into_a_link_leads_nowhere)
{
	begin_sharing(false);
	ck_assert_int_eq(mkdir(path("shared/a"), 0755), 0);
	write_file(path("shared/a/secret"), "inside");
	ck_assert_int_eq(walk(0, 1, "a"), 0);
	ck_assert_int_eq(rename(path("shared/a"), path("shared/b")), 0);
	ck_assert_int_eq(symlink("..", path("shared/a")), 0);
	ck_assert_int_eq(walk(1, 2, "secret"), 0);
	ck_assert_int_eq(ask(P9_TLOPEN, "44", N(2), N(O_RDONLY)), 0);
	ck_assert_int_eq(ask(P9_TREAD, "484", N(2), N(0), N(100)), 0);
	ck_assert_uint_eq(p9_get(&answer, 4), 6);
	ck_assert_mem_eq(answer.at, "inside", 6);
	end_sharing();
}
END_TEST

START_TEST(read_only_is_read_only)
{
	begin_sharing(true);
	write_file(path("shared/file"), "text");
	ck_assert_int_eq(walk(0, 1, "file"), 0);
	ck_assert_int_eq(ask(P9_TLOPEN, "44", N(1), N(O_RDWR)), -EROFS);
	ck_assert_int_eq(ask(P9_TLOPEN, "44", N(1), N(O_WRONLY)), -EROFS);
	ck_assert_int_eq(ask(P9_TLOPEN, "44", N(1), N(O_RDONLY | O_TRUNC)), -EROFS);
	ck_assert_int_eq(ask(P9_TLOPEN, "44", N(1), N(O_ACCMODE)), -EROFS);
	ck_assert_int_eq(create(0, 2, "new", O_RDONLY), -EROFS);
	ck_assert_int_eq(ask(P9_TMKDIR, "4s44", N(0), "d", N(0755), N(0)), -EROFS);
	ck_assert_int_eq(ask(P9_TMKNOD, "4s4444", N(0), "p", N(S_IFIFO), N(0), N(0), N(0)), -EROFS);
	ck_assert_int_eq(ask(P9_TSYMLINK, "4ss4", N(0), "l", "x", N(0)), -EROFS);
	ck_assert_int_eq(ask(P9_TLINK, "44s", N(0), N(1), "h"), -EROFS);
	ck_assert_int_eq(ask(P9_TRENAMEAT, "4s4s", N(0), "file", N(0), "x"), -EROFS);
	ck_assert_int_eq(ask(P9_TUNLINKAT, "4s4", N(0), "file", N(0)), -EROFS);
	ck_assert_int_eq(ask(P9_TSETATTR, "44444888888", N(1), N(1), N(0777), N(0), N(0), N(0),
			     N(0), N(0), N(0), N(0), N(0)), -EROFS);
	ck_assert_int_eq(ask(P9_TLOPEN, "44", N(1), N(O_RDONLY)), 0);
	ck_assert_int_eq(put(1, 0, "x"), -EROFS);
	ck_assert_int_eq(ask(P9_TREAD, "484", N(1), N(0), N(100)), 0);
	ck_assert_uint_eq(p9_get(&answer, 4), 4);
	end_sharing();
}
END_TEST

static void check_attributes(unsigned int fid, const char *name)
{
	struct stat status;

	ck_assert_int_eq(lstat(name, &status), 0);
	ck_assert_int_eq(ask(P9_TGETATTR, "48", N(fid), N(0x7ff)), 0);
	ck_assert_uint_eq(p9_get(&answer, 8), 0x7ff);
	p9_get_rest(&answer, P9_QID_SIZE);
	ck_assert_uint_eq(p9_get(&answer, 4), status.st_mode);
	ck_assert_uint_eq(p9_get(&answer, 4), status.st_uid);
	ck_assert_uint_eq(p9_get(&answer, 4), status.st_gid);
	ck_assert_uint_eq(p9_get(&answer, 8), status.st_nlink);
	ck_assert_uint_eq(p9_get(&answer, 8), status.st_rdev);
	ck_assert_uint_eq(p9_get(&answer, 8), status.st_size);
	ck_assert_uint_eq(p9_get(&answer, 8), status.st_blksize);
	ck_assert_uint_eq(p9_get(&answer, 8), status.st_blocks);
	ck_assert_uint_eq(p9_get(&answer, 8), status.st_atim.tv_sec);
	ck_assert_uint_eq(p9_get(&answer, 8), status.st_atim.tv_nsec);
	ck_assert_uint_eq(p9_get(&answer, 8), status.st_mtim.tv_sec);
	ck_assert_uint_eq(p9_get(&answer, 8), status.st_mtim.tv_nsec);
}

START_TEST(files_are_what_the_host_has)
{
	struct stat status;

	begin_sharing(false);
	ck_assert_int_eq(create(0, 1, "file", O_RDWR | O_EXCL), 0);
	ck_assert_int_eq(put(1, 3, "text"), 0);
	check_attributes(1, path("shared/file"));
	ck_assert_int_eq(lstat(path("shared/file"), &status), 0);
	ck_assert_uint_eq(status.st_mode, S_IFREG | 0640);
	ck_assert_int_eq(create(0, 2, "file", O_RDWR | O_EXCL), -EEXIST);
	ck_assert_int_eq(clunk(2), 0);
	ck_assert_int_eq(create(0, 2, "file", O_RDWR), 0);	/* keeps its contents: no O_TRUNC */
	ck_assert_int_eq(ask(P9_TREAD, "484", N(2), N(3), N(100)), 0);
	ck_assert_uint_eq(p9_get(&answer, 4), 4);
	ck_assert_mem_eq(answer.at, "text", 4);
	ck_assert_int_eq(ask(P9_TSETATTR, "44444888888", N(1), N(0x1 | 0x8 | 0x20 | 0x100),
			     N(0600), N(0), N(0), N(2), N(0), N(0), N(1000), N(5), N(0)), 0);
	check_attributes(2, path("shared/file"));
	ck_assert_int_eq(lstat(path("shared/file"), &status), 0);
	ck_assert_uint_eq(status.st_mode, S_IFREG | 0600);
	ck_assert_int_eq(status.st_size, 2);
	ck_assert_int_eq(status.st_mtim.tv_sec, 1000);
	ck_assert_int_eq(ask(P9_TMKDIR, "4s44", N(0), "d", N(0750), N(getgid())), 0);
	ck_assert_int_eq(walk(0, 3, "d"), 0);
	check_attributes(3, path("shared/d"));
	ck_assert_int_eq(ask(P9_TRENAMEAT, "4s4s", N(0), "file", N(3), "moved"), 0);
	ck_assert_int_eq(ask(P9_TLINK, "44s", N(0), N(1), "again"), 0);
	check_attributes(1, path("shared/d/moved"));
	ck_assert_int_eq(ask(P9_TUNLINKAT, "4s4", N(0), "d", N(AT_REMOVEDIR)), -ENOTEMPTY);
	ck_assert_int_eq(ask(P9_TUNLINKAT, "4s4", N(3), "moved", N(0)), 0);
	ck_assert_int_eq(ask(P9_TUNLINKAT, "4s4", N(0), "d", N(AT_REMOVEDIR)), 0);
	ck_assert_int_eq(ask(P9_TUNLINKAT, "4s4", N(0), "again", N(0)), 0);
	/* A file without a name lives on in the fids that have it open. */
	ck_assert_int_eq(put(1, 0, "unnamed"), 0);
	ck_assert_int_eq(same(1, 4), 0);
	ck_assert_int_eq(ask(P9_TGETATTR, "48", N(4), N(0x7ff)), 0);
	ck_assert_int_eq(ask(P9_TREAD, "484", N(2), N(0), N(100)), 0);
	ck_assert_uint_eq(p9_get(&answer, 4), 7);
	ck_assert_int_eq(ask(P9_TFSYNC, "44", N(1), N(0)), 0);
	ck_assert_int_eq(ask(P9_TFSYNC, "44", N(0), N(0)), -EBADF);
	ck_assert_int_eq(ask(P9_TSTATFS, "4", N(0)), 0);
	end_sharing();
}
END_TEST

/* Read directories with room for few entries, or for none. */
START_TEST(directories_are_read_whole)
{
	unsigned int entries = 0, i, size;
	uint64_t offset = 0;
	char name[NAME_MAX + 1];

	begin_sharing(false);
	for (i = 0; i < 300; i++)
		write_file(path("shared/%0*u", 1 + i % 50, i), "");
	ck_assert_int_eq(same(0, 1), 0);
	ck_assert_int_eq(ask(P9_TLOPEN, "44", N(1), N(O_RDONLY | O_DIRECTORY)), 0);
	ck_assert_int_eq(ask(P9_TREADDIR, "484", N(1), N(0), N(20)), -EINVAL);
	do {
		ck_assert_int_eq(ask(P9_TREADDIR, "484", N(1), offset, N(100 + entries)), 0);
		size = p9_get(&answer, 4);
		ck_assert_uint_eq(size, answer.left);
		ck_assert_uint_le(size, 100 + entries);
		while (answer.left) {
			p9_get_rest(&answer, P9_QID_SIZE);
			offset = p9_get(&answer, 8);
			p9_get(&answer, 1);
			p9_get_text(&answer, name, sizeof(name));
			entries++;
		}
		ck_assert(!answer.bad);
	} while (size);
	ck_assert_uint_eq(entries, 302);	/* with . and .. */
	end_sharing();
}
END_TEST

START_TEST(devices_and_pipes_are_not_opened)
{
	begin_sharing(false);
	ck_assert_int_eq(mkfifo(path("shared/pipe"), 0666), 0);
	ck_assert_int_eq(walk(0, 1, "pipe"), 0);
	ck_assert_int_eq(ask(P9_TLOPEN, "44", N(1), N(O_RDONLY)), -ELOOP);
	ck_assert_int_eq(create(0, 2, "pipe", O_WRONLY), -ELOOP);
	ck_assert_int_eq(ask(P9_TMKNOD, "4s4444", N(0), "n", N(S_IFCHR | 0666), N(1), N(3), N(0)),
			 -EPERM);
	ck_assert_int_eq(ask(P9_TMKNOD, "4s4444", N(0), "n", N(S_IFBLK | 0666), N(8), N(0), N(0)),
			 -EPERM);
	ck_assert_int_eq(ask(P9_TMKNOD, "4s4444", N(0), "q", N(S_IFIFO | 0666), N(0), N(0),
			     N(getgid())), 0);
	end_sharing();
}
END_TEST

/* /proc/self would be the launcher itself, with its memory as a file. */
START_TEST(the_hosts_kernel_is_not_shared)
{
	begin_sharing(false);
	p9_server_exit(&server);
	ck_assert_int_eq(p9_server_init(&server, "/", false), 0);
	ck_assert_int_eq(ask(P9_TATTACH, "44ss4", N(0), N(P9_NOFID), "", "", N(0)), 0);
	ck_assert_int_eq(walk(0, 1, "proc"), 0);
	ck_assert_int_eq(walk(1, 2, "self"), -EACCES);
	ck_assert_int_eq(ask(P9_TLOPEN, "44", N(1), N(O_RDONLY)), -EACCES);
	ck_assert_int_lt(walk2(0, 3, "proc", "self"), 0);
	end_sharing();
}
END_TEST

/* Return: true if this test can mount, in its own namespace, which ends with the test. */
static bool begin_mounting(void)
{
	/* In a container even root may not be allowed to mount proc. */
	bool can = !unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
		   !mount("proc", "/proc", "proc", 0, NULL);

	begin_sharing(false);	/* not earlier: an open directory stays in the old namespace */
	return can;
}

static dev_t mount_at(const char *type, const char *name)
{
	struct stat status;

	ck_assert_int_eq(mount(type, name, type, 0, NULL), 0);
	ck_assert_int_eq(stat(name, &status), 0);
	return status.st_dev;
}

/* When a file system is unmounted, the next one gets its device number. */
START_TEST(the_hosts_kernel_is_not_shared_by_a_number_used_before)
{
	bool can = begin_mounting(), again = false;
	unsigned int i;

	ck_assert_int_eq(mkdir(path("shared/a"), 0755), 0);
	for (i = 0; can && i < 100 && !again; i++) {
		dev_t before = mount_at("tmpfs", path("shared/a"));

		write_file(path("shared/a/version"), "");
		ck_assert_int_eq(walk2(0, 1, "a", "version"), 0);
		ck_assert_int_eq(ask(P9_TLOPEN, "44", N(1), N(O_RDONLY)), 0);
		ck_assert_int_eq(clunk(1), 0);
		ck_assert_int_eq(umount(path("shared/a")), 0);
		again = mount_at("proc", path("shared/a")) == before;
		ck_assert_int_lt(walk2(0, 1, "a", "version"), 0);
		ck_assert_int_eq(walk(0, 1, "a"), 0);
		ck_assert_int_eq(walk(1, 2, "version"), -EACCES);
		ck_assert_int_eq(ask(P9_TLOPEN, "44", N(1), N(O_RDONLY)), -EACCES);
		ck_assert_int_eq(clunk(1), 0);
		ck_assert_int_eq(umount(path("shared/a")), 0);
	}
	ck_assert_msg(again || !can, "the host gives no number twice");
	end_sharing();
}
END_TEST

/* A single file of the host's kernel may be mounted inside a shared directory. */
START_TEST(the_hosts_kernel_is_not_opened_to_be_created)
{
	bool can = begin_mounting();

	write_file(path("shared/file"), "");
	if (can) {
		ck_assert_int_eq(mount("/proc/version", path("shared/file"), NULL, MS_BIND,
				       NULL), 0);
		ck_assert_int_eq(create(0, 1, "file", O_RDONLY), -EACCES);
		ck_assert_int_eq(umount(path("shared/file")), 0);
		ck_assert_int_eq(clunk(1), 0);
		ck_assert_int_eq(create(0, 1, "file", O_RDONLY), 0);
	}
	end_sharing();
}
END_TEST

static int compare_paths(const void *a, const void *b)
{
	const uint64_t *one = a, *other = b;

	return *one < *other ? -1 : *one > *other;
}

/* More file systems than the table has room for, with the same inode numbers on each. */
START_TEST(files_are_told_apart_on_any_number_of_file_systems)
{
	enum { DEVICES = 1000, INODES = 100 };
	static uint64_t paths[DEVICES * INODES];
	unsigned int i;

	begin_sharing(false);
	p9_server_exit(&server);
	ck_assert_int_eq(p9_server_init(&server, shared, false), 0);
	for (i = 0; i < DEVICES * INODES; i++)
		paths[i] = p9_inode(&server, makedev(1000, i / INODES), i % INODES);
	for (i = 0; i < DEVICES * INODES; i++)
		ck_assert_uint_eq(p9_inode(&server, makedev(1000, i / INODES), i % INODES),
				  paths[i]);
	qsort(paths, DEVICES * INODES, sizeof(*paths), compare_paths);
	for (i = 1; i < DEVICES * INODES; i++)
		ck_assert_uint_ne(paths[i - 1], paths[i]);
	write_file(path("shared/file"), "");
	ck_assert_int_eq(ask(P9_TATTACH, "44ss4", N(0), N(P9_NOFID), "", "", N(0)), 0);
	ck_assert_int_eq(walk(0, 1, "file"), 0);
	ck_assert_int_eq(ask(P9_TLOPEN, "44", N(1), N(O_RDWR)), 0);
	end_sharing();
}
END_TEST

START_TEST(fids_are_few_enough_and_each_has_one_meaning)
{
	unsigned int i;

	begin_sharing(false);
	p9_fids.most = 10;
	for (i = 1; i < 10; i++)
		ck_assert_int_eq(same(0, i), 0);
	ck_assert_int_eq(same(0, i), -ENFILE);
	ck_assert_int_eq(same(0, 5), -EBADF);
	ck_assert_int_eq(clunk(5), 0);
	ck_assert_int_eq(clunk(5), -EBADF);
	ck_assert_int_eq(same(5, 11), -EBADF);
	ck_assert_int_eq(same(0, P9_NOFID), -EBADF);
	ck_assert_int_eq(same(0, 5), 0);
	end_sharing();
}
END_TEST

/* One process shares two directories, with one limit of descriptors for both. */
START_TEST(all_servers_together_have_so_many_fids)
{
	static struct p9_server first;
	unsigned int i;

	begin_sharing(false);
	first = server;
	ck_assert_int_eq(p9_server_init(&server, shared, true), 0);
	p9_fids.most = 10;
	ck_assert_int_eq(ask(P9_TATTACH, "44ss4", N(0), N(P9_NOFID), "", "", N(0)), 0);
	for (i = 1; i < 9; i++)
		ck_assert_int_eq(same(0, i), 0);
	ck_assert_int_eq(same(0, i), -ENFILE);
	ck_assert_int_eq(walk(0, i, "nothing"), -ENOENT);	/* takes no fid */
	p9_server_exit(&first);
	ck_assert_uint_eq(p9_fids.taken, 9);
	ck_assert_int_eq(same(0, 10), 0);
	ck_assert_int_eq(same(0, 11), -ENFILE);
	ck_assert_int_eq(ask(P9_TVERSION, "4s", N(8192), "9P2000.L"), 0);
	ck_assert_uint_eq(p9_fids.taken, 0);
	end_sharing();
}
END_TEST

/* If we are root, the user that the client attached as owns what it makes. */
START_TEST(new_files_are_their_makers)
{
	static const char * const names[] = { "file", "d", "pipe", "link" };
	struct stat status;
	unsigned int i;

	begin_sharing(false);
	if (getuid()) {
		end_sharing();
		return;
	}
	ck_assert_int_eq(chmod(shared, 0700), 0);	/* the client checks modes itself */
	ck_assert_int_eq(ask(P9_TATTACH, "44ss4", N(20), N(P9_NOFID), "", "", N(1234)), 0);
	ck_assert_int_eq(same(20, 21), 0);
	ck_assert_int_eq(ask(P9_TLCREATE, "4s444", N(21), "file", N(O_RDWR | O_CREAT), N(04755),
			     N(99)), 0);
	ck_assert_int_eq(ask(P9_TMKDIR, "4s44", N(20), "d", N(0777), N(99)), 0);
	ck_assert_int_eq(ask(P9_TMKNOD, "4s4444", N(20), "pipe", N(S_IFIFO), N(0), N(0), N(99)), 0);
	ck_assert_int_eq(ask(P9_TSYMLINK, "4ss4", N(20), "link", "x", N(99)), 0);
	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		ck_assert_int_eq(lstat(path("shared/%s", names[i]), &status), 0);
		ck_assert_uint_eq(status.st_uid, 1234);
		ck_assert_uint_eq(status.st_gid, 99);
	}
	ck_assert_int_eq(lstat(path("shared/file"), &status), 0);
	ck_assert_uint_eq(status.st_mode, S_IFREG | 04755);
	/* The server is root again. */
	write_file(path("ours"), "");
	ck_assert_int_eq(stat(path("ours"), &status), 0);
	ck_assert_uint_eq(status.st_uid, 0);
	end_sharing();
}
END_TEST

static void write_map(const char *path, unsigned int id)
{
	char text[32];

	snprintf(text, sizeof(text), "0 %u 1", id);
	write_file(path, text);
}

/* Return: true if we are now root of a user namespace with no other user in it. */
static bool be_only_user(void)
{
	unsigned int uid = geteuid(), gid = getegid();

	if (unshare(CLONE_NEWUSER))
		return false;
	write_map("/proc/self/uid_map", uid);
	write_file("/proc/self/setgroups", "deny");
	write_map("/proc/self/gid_map", gid);
	return true;
}

static int make_directory(unsigned int parent, const char *name, uint32_t gid)
{
	return ask(P9_TMKDIR, "4s44", N(parent), name, N(0755), N(gid));
}

/* Where root can't give a file to its maker, root would own the file. */
START_TEST(nobody_makes_files_who_is_not_in_the_namespace)
{
	if (!be_only_user())
		return;
	begin_sharing(false);
	ck_assert_int_eq(ask(P9_TATTACH, "44ss4", N(20), N(P9_NOFID), "", "", N(1234)), 0);
	ck_assert_int_eq(create(20, 21, "file", O_RDWR), -EPERM);
	ck_assert_int_eq(make_directory(20, "d", 0), -EPERM);
	ck_assert_int_eq(ask(P9_TMKNOD, "4s4444", N(20), "pipe", N(S_IFIFO), N(0), N(0), N(0)), -EPERM);
	ck_assert_int_eq(ask(P9_TSYMLINK, "4ss4", N(20), "link", "x", N(0)), -EPERM);
	ck_assert_int_eq(make_directory(0, "d", 99), -EPERM);
	ck_assert_int_eq(access(path("shared/d"), F_OK), -1);
	/* Root can make files, and so can a client that attached as nobody. */
	ck_assert_int_eq(make_directory(0, "ours", 0), 0);
	ck_assert_int_eq(ask(P9_TATTACH, "44ss4", N(30), N(P9_NOFID), "", "", N(~0U)), 0);
	ck_assert_int_eq(make_directory(30, "nobodys", 0), 0);
	ck_assert_int_eq(make_directory(30, "of_no_group", ~0U), 0);
	end_sharing();
}
END_TEST

/* Messages with wrong bytes, cut off, or with wrong sizes get an answer or none, and do no harm. */
START_TEST(garbage_is_answered)
{
	static uint8_t message[256];
	unsigned int i, j, size;
	struct stat status;
	size_t got;

	begin_sharing(false);
	for (i = 0; i < 200000; i++) {
		size = P9_HEADER + unit_random() % 60;
		for (j = 0; j < size; j++)
			message[j] = unit_random() % 3 ? unit_random() % 4 : unit_random();
		message[0] = unit_random() % 8 ? size : unit_random();
		message[1] = message[2] = message[3] = 0;
		message[4] = unit_random() % 130;
		got = p9_serve(&server, message, size, reply, 64 + unit_random() % 4096);
		ck_assert(!got || (got >= P9_HEADER && got <= 64 + 4096));
		if (!p9_fid_find(&server, 0))
			ask(P9_TATTACH, "44ss4", N(0), N(P9_NOFID), "", "", N(0));
	}
	ck_assert_int_eq(lstat(path("secret"), &status), 0);
	ck_assert_int_eq(status.st_size, 6);
	end_sharing();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("9P");

	UNIT_ADD(suite, versions_and_sizes_are_agreed);
	UNIT_ADD(suite, names_that_lead_elsewhere_are_refused);
	UNIT_ADD(suite, links_are_not_followed);
	UNIT_ADD(suite, a_directory_that_turns_into_a_link_leads_nowhere);
	UNIT_ADD(suite, read_only_is_read_only);
	UNIT_ADD(suite, files_are_what_the_host_has);
	UNIT_ADD(suite, directories_are_read_whole);
	UNIT_ADD(suite, devices_and_pipes_are_not_opened);
	UNIT_ADD(suite, the_hosts_kernel_is_not_shared);
	UNIT_ADD(suite, the_hosts_kernel_is_not_shared_by_a_number_used_before);
	UNIT_ADD(suite, the_hosts_kernel_is_not_opened_to_be_created);
	UNIT_ADD(suite, files_are_told_apart_on_any_number_of_file_systems);
	UNIT_ADD(suite, fids_are_few_enough_and_each_has_one_meaning);
	UNIT_ADD(suite, all_servers_together_have_so_many_fids);
	UNIT_ADD(suite, new_files_are_their_makers);
	UNIT_ADD(suite, nobody_makes_files_who_is_not_in_the_namespace);
	UNIT_ADD(suite, garbage_is_answered);
	return unit_run(suite);
}
