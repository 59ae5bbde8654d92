// SPDX-License-Identifier: GPL-2.0-only
/*
 * A stranger's code in one of the launcher's processes. It tries to reach what no guest was
 * given. Outside a sandbox each of its system calls would succeed.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/compiler.h"
#include "intruder.h"
#include "sandbox/sandbox.h"
#include "unit.h"

struct intruder *intruder;

/* A file of the same user, who has not given it to any guest. */
static char own_file[128];

static int open_a_file(void) { return open("/etc/passwd", O_RDONLY); }
static int find_a_directory(void) { return open("/usr", O_PATH | O_DIRECTORY); }
static int open_itself(void) { return open("/proc/self/maps", O_RDONLY); }
static int make_a_file(void) { return open("/tmp/lguest-intruder", O_RDWR | O_CREAT, 0600); }
static int unix_socket(void) { return socket(AF_UNIX, SOCK_STREAM, 0); }
static int netlink_socket(void) { return socket(AF_NETLINK, SOCK_RAW, 0); }
static int packet_socket(void) { return socket(AF_PACKET, SOCK_RAW, 0); }
static int internet_socket(void) { return socket(AF_INET, SOCK_STREAM, 0); }
static int signal_others(void) { return kill(getppid(), 0); }
static int change_modes(void) { return syscall(SYS_fchmodat, AT_FDCWD, own_file, 0640); }
static int new_user_namespace(void) { return unshare(CLONE_NEWUSER); }
static int io_uring(void) { struct io_uring_params p = { 0 }; return syscall(SYS_io_uring_setup, 4, &p); }
static int open_a_process(void) { return syscall(SYS_pidfd_open, getppid(), 0); }

static int start_a_process(void)
{
	long child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (!child)
		_exit(0);
	return child;
}

/* Do it in a child, if fork() is allowed, since execve() would end this program. */
static int run_a_program(void)
{
	char *words[] = { "/bin/true", NULL };
	long child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (!child) {
		execve(words[0], words, words + 1);
		_exit(1);
	}
	if (child < 0)
		execve(words[0], words, words + 1);
	return child;
}

static int write_code(void)
{
	void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return at == MAP_FAILED ? -1 : 0;
}

static int make_code(void)
{
	void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return at == MAP_FAILED ? -1 : mprotect(at, 4096, PROT_READ | PROT_EXEC);
}

static int read_another_process(void)
{
	char byte;
	struct iovec to = { &byte, 1 }, from = { (void *)intruder, 1 };

	return process_vm_readv(getppid(), &to, 1, &from, 1, 0) == 1 ? 0 : -1;
}

static const struct {
	const char *name;
	int (*try)(void);
} attempts[] = {
#define ATTEMPT(name)	{ #name, name }
	ATTEMPT(open_a_file), ATTEMPT(find_a_directory), ATTEMPT(open_itself), ATTEMPT(make_a_file),
	ATTEMPT(unix_socket), ATTEMPT(netlink_socket), ATTEMPT(packet_socket),
	ATTEMPT(internet_socket), ATTEMPT(signal_others), ATTEMPT(change_modes), ATTEMPT(io_uring),
	ATTEMPT(open_a_process), ATTEMPT(start_a_process), ATTEMPT(run_a_program),
	ATTEMPT(write_code), ATTEMPT(make_code), ATTEMPT(read_another_process),
	ATTEMPT(new_user_namespace),
};

/*
 * intruder_try_all() - make all attempts
 */
void intruder_try_all(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(attempts); i++) {
		if (attempts[i].try() >= 0) {
			strcat(intruder->done, attempts[i].name);
			strcat(intruder->done, " ");
		}
	}
	intruder->processes++;
}

/*
 * intruder_sleep() - say nothing, for ever
 */
void intruder_sleep(void)
{
	static int never;

	for (;;)
		syscall(SYS_futex, &never, FUTEX_WAIT, 0, NULL, NULL, 0);
}

/*
 * intruder_prepare() - put the intruder into each process that the launcher starts from now on
 */
void intruder_prepare(void)
{
	int file;

	intruder = mmap(NULL, sizeof(*intruder), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(intruder, MAP_FAILED);
	snprintf(own_file, sizeof(own_file), "%s/own", unit_directory());
	file = open(own_file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_ge(file, 0);
	close(file);
	sandbox_intruder = intruder_try_all;
}
