// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a process gives up for good before it touches what a stranger wrote: namespaces
 * that have nothing in them, capabilities, files (Landlock), and system calls (seccomp).
 *
 * Each is there on some Hosts and not on others: containers often forbid namespaces, and
 * Landlock is young. What can't be had is done without, and told under --verbose: a Guest
 * that does not start is no safer. --sandbox=off leaves all of it out.
 */
#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "message.h"
#include "sandbox.h"

bool sandbox_wanted = true;
void (*sandbox_intruder)(void);

/* Younger than Debian 12's headers. */
#define ACCESS_TRUNCATE		(1ULL << 14)	/* ABI 3 */
#define ACCESS_IOCTL_DEV	(1ULL << 15)	/* ABI 5 */

#define ACCESS_READ	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
/* All of ABI 2, the first that lets a file be moved to another directory. */
#define ACCESS_ALL	((LANDLOCK_ACCESS_FS_REFER << 1) - 1)

static void cannot(const char *what, int error)
{
	detail("this host does not let us have %s: %s", what, strerror(error));
}

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return done;
}

/* Whoever is not root needs a user namespace around them; only our own user is in it. */
static int new_namespaces(int flags)
{
	unsigned int user = geteuid(), group = getegid();
	char text[64];

	if (!unshare(flags))
		return 0;
	if (errno != EPERM || unshare(CLONE_NEWUSER | flags))
		return -errno;
	snprintf(text, sizeof(text), "%u %u 1", user, user);
	write_file("/proc/self/uid_map", text);
	write_file("/proc/self/setgroups", "deny");
	snprintf(text, sizeof(text), "%u %u 1", group, group);
	write_file("/proc/self/gid_map", text);
	return 0;
}

/*
 * No file has a name any more. What is open stays open: it is in the namespace that we
 * come from. The root of an initramfs can't be exchanged, but hidden.
 */
static int empty_root(void)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", "/proc", "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=555") ||
	    chdir("/proc"))
		return -errno;
	if (syscall(SYS_pivot_root, ".", "."))
		return chroot(".") || chdir("/") ? -errno : 0;
	return umount2(".", MNT_DETACH) || chdir("/") ? -errno : 0;
}

static void enter_namespaces(const struct sandbox *sandbox)
{
	int error = 0;

	if (!sandbox->namespaces || (sandbox->sees_owners && geteuid()))
		return;
	error = new_namespaces(sandbox->namespaces);
	if (!error && (sandbox->namespaces & CLONE_NEWNS))
		error = empty_root();
	if (error)
		cannot("namespaces", -error);
}

static void drop_capabilities(const int *keep)
{
	capng_clear(CAPNG_SELECT_ALL);
	for (; keep && *keep >= 0 && !geteuid(); keep++)
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, *keep);
	/* The bounding set is for who has the right to change it. */
	capng_apply(CAPNG_SELECT_BOUNDS);
	if (capng_apply(CAPNG_SELECT_CAPS) < 0)
		cannot("fewer capabilities", errno);
}

/* What of file systems this Host's Landlock can forbid; 0: nothing that helps. */
static uint64_t landlock_access(void)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	uint64_t access = ACCESS_ALL;

	if (version < 2)
		return 0;
	if (version >= 3)
		access |= ACCESS_TRUNCATE;
	if (version >= 5)
		access |= ACCESS_IOCTL_DEV;
	return access;
}

/* Of all files, those below the directory alone. */
static void restrict_files(const struct sandbox *sandbox)
{
	struct landlock_ruleset_attr ruleset = { .handled_access_fs = landlock_access() };
	struct landlock_path_beneath_attr beneath = {
		.allowed_access = sandbox->read_only ? ACCESS_READ : ruleset.handled_access_fs,
		.parent_fd = sandbox->directory,
	};
	int fd = -1;

	errno = EOPNOTSUPP;
	if (ruleset.handled_access_fs)
		fd = syscall(SYS_landlock_create_ruleset, &ruleset, sizeof(ruleset), 0);
	if (fd < 0 ||
	    (sandbox->has_directory && syscall(SYS_landlock_add_rule, fd, LANDLOCK_RULE_PATH_BENEATH,
					       &beneath, 0)) ||
	    syscall(SYS_landlock_restrict_self, fd, 0))
		cannot("Landlock", errno);
	if (fd >= 0)
		close(fd);
}

static int add_calls(scmp_filter_ctx filter, const struct sandbox_call *call, unsigned int count)
{
	int error = 0;

	for (; !error && count; call++, count--) {
		if (call->mask)
			error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, call->number, 1,
						 SCMP_CMP(call->argument, SCMP_CMP_MASKED_EQ,
							  call->mask, call->value));
		else
			error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, call->number, 0);
	}
	return error;
}

/*
 * What is not on the list fails, and the caller lives: a C library may ask for something
 * new, and can do without it.
 */
static void restrict_calls(const struct sandbox *sandbox)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int error = filter ? 0 : -ENOMEM;

	if (!error)
		error = add_calls(filter, sandbox->calls, sandbox->count);
	if (!error)
		error = add_calls(filter, sandbox->more_calls, sandbox->more_count);
	if (!error)
		error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (!error)
		error = seccomp_load(filter);
	if (error)
		cannot("a filter for system calls", -error);
	seccomp_release(filter);
}

/**
 * sandbox_enter() - give up all but what is needed
 * @sandbox: what that is
 *
 * By a process with one thread.
 */
void sandbox_enter(const struct sandbox *sandbox)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (sandbox_wanted) {
		enter_namespaces(sandbox);
		drop_capabilities(sandbox->keep_capabilities);
		restrict_files(sandbox);
	}
	/* What came before has taken both of these back. */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (sandbox_wanted)
		restrict_calls(sandbox);
	if (sandbox_intruder)
		sandbox_intruder();
}
