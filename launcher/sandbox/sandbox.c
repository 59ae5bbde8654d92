// SPDX-License-Identifier: GPL-2.0-only
/*
 * What rights a process gives up for good before it touches what a stranger wrote: it moves
 * to empty namespaces, drops capabilities, and forbids itself files (by Landlock) and system
 * calls (by seccomp).
 *
 * Some hosts lack some of these: containers often forbid namespaces, and Landlock is young.
 * What is lacking is left out, with a message under --verbose: refusing to start the guest
 * would make nobody safer. --sandbox=off leaves all of it out.
 */
#include <cap-ng.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/message.h"
#include "sandbox/sandbox.h"

bool sandbox_wanted = true;
void (*sandbox_intruder)(void);

/* This process has been through sandbox_enter(). */
static bool is_entered;

/* The most threads beside the one that calls sandbox_enter(). */
#define MAX_OTHERS		64

/* The headers of Debian 12 do not have these yet. */
#define ACCESS_TRUNCATE		(1ULL << 14)	/* ABI 3 */
#define ACCESS_IOCTL_DEV	(1ULL << 15)	/* ABI 5 */

#define ACCESS_READ	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
/* All rights of ABI 2, the first that can allow to move a file to another directory. */
#define ACCESS_ALL	((LANDLOCK_ACCESS_FS_REFER << 1) - 1)

static void cannot(const char *what, int error)
{
	detail("this host does not allow us %s: %s", what, strerror(error));
}

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return done;
}

/*
 * Without the right to new namespaces, make a user namespace around them. It maps only our
 * own user, so a process that must see the owners of files can't use one.
 */
static int new_namespaces(int flags, bool sees_owners)
{
	unsigned int user = geteuid(), group = getegid();
	char text[64];

	if (!unshare(flags))
		return 0;
	if (errno != EPERM || sees_owners || unshare(CLONE_NEWUSER | flags))
		return -errno;
	snprintf(text, sizeof(text), "%u %u 1", user, user);
	write_file("/proc/self/uid_map", text);
	write_file("/proc/self/setgroups", "deny");
	snprintf(text, sizeof(text), "%u %u 1", group, group);
	write_file("/proc/self/gid_map", text);
	return 0;
}

/* A file that keeps its name in the new root, if the host has the file. */
struct kept {
	char file[PATH_MAX];	/* its real name */
	char top[PATH_MAX];	/* what stays: the file, or its folder */
	int fd;			/* O_PATH descriptor of top */
};

/*
 * A program that rewrites a file often makes a new one and renames it. To see that one, too,
 * keep the whole folder; but not /etc, which has everything else in it.
 */
static void keep_file(struct kept *kept, const char *name)
{
	char *slash;

	kept->fd = -1;
	if (!name || !realpath(name, kept->file))
		return;
	strcpy(kept->top, kept->file);
	slash = strrchr(kept->top, '/');
	if (slash > kept->top && strncmp(kept->top, "/etc/", 5))
		*slash = '\0';
	kept->fd = open(kept->top, O_PATH | O_CLOEXEC);
}

/* Make the folders of a name below the working directory. */
static void make_folders(const char *name)
{
	char path[PATH_MAX];
	const char *at = name;

	while ((at = strchr(at + 1, '/'))) {
		snprintf(path, sizeof(path), ".%.*s", (int)(at - name), name);
		mkdir(path, 0755);
	}
}

/* Make the file visible in the new root, which is the working directory. */
static bool show_file(const struct kept *kept, const char *name)
{
	char path[PATH_MAX + 1];
	int fd;

	snprintf(path, sizeof(path), ".%s", kept->top);
	make_folders(kept->top);
	if (strcmp(kept->top, kept->file)) {
		mkdir(path, 0755);
	} else {
		fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0444);
		if (fd >= 0)
			close(fd);
	}
	if (mount(kept->top, path, NULL, MS_BIND | MS_REC, NULL))
		return false;
	if (!strcmp(kept->file, name))
		return true;
	make_folders(name);
	snprintf(path, sizeof(path), ".%s", name);
	return !symlink(kept->file, path);
}

/*
 * Take all files away by giving us an empty root, but for the one that is kept. Open files
 * stay open: they belong to the old namespace. pivot_root() refuses the root of an initramfs:
 * there use chroot().
 */
static int empty_root(const struct kept *kept, const char *name)
{
	const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", "/proc", "tmpfs", flags, "mode=555") || chdir("/proc") ||
	    (kept->fd >= 0 && !show_file(kept, name)) ||
	    mount(NULL, ".", NULL, MS_REMOUNT | MS_RDONLY | flags, NULL))
		return -errno;
	if (syscall(SYS_pivot_root, ".", "."))
		return chroot(".") || chdir("/") ? -errno : 0;
	return umount2(".", MNT_DETACH) || chdir("/") ? -errno : 0;
}

static void enter_namespaces(const struct sandbox *sandbox, const struct kept *kept)
{
	int error = 0;

	if (!sandbox->namespaces || (sandbox->sees_owners && geteuid()))
		return;
	error = new_namespaces(sandbox->namespaces, sandbox->sees_owners);
	if (!error && (sandbox->namespaces & CLONE_NEWNS))
		error = empty_root(kept, sandbox->file);
	if (error)
		cannot("namespaces", -error);
}

static void drop_capabilities(const int *keep)
{
	capng_clear(CAPNG_SELECT_ALL);
	for (; keep && *keep >= 0 && !geteuid(); keep++)
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, *keep);
	/* Ignore an error: only a privileged process may change the bounding set. */
	capng_apply(CAPNG_SELECT_BOUNDS);
	if (capng_apply(CAPNG_SELECT_CAPS) < 0)
		cannot("fewer capabilities", errno);
}

/* Return: the uses of files that this host's Landlock can forbid; 0: it is too old. */
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

static bool allow(int ruleset, int fd, uint64_t access)
{
	struct landlock_path_beneath_attr beneath = { .allowed_access = access, .parent_fd = fd };

	return fd < 0 || !syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
}

/*
 * Capabilities and Landlock's rules belong to each thread alone. So the threads that are
 * there already give theirs up in a signal handler.
 */
static struct {
	int ruleset;
	atomic_uint done;
} others;

static void give_up_too(int number)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[2] = { 0 };
	int error = errno;

	(void)number;
	syscall(SYS_capset, &header, none);
	syscall(SYS_landlock_restrict_self, others.ruleset, 0);
	errno = error;
	others.done++;
}

/* The sanitizer has a thread that takes no signals: do not wait for it long. */
#ifdef __SANITIZE_THREAD__
#define PATIENCE_MS	100
#else
#define PATIENCE_MS	5000
#endif

/* Borrow SIGUSR1, which otherwise only interrupts threads' system calls (thread.c). */
static void tell_others(int ruleset, const pid_t *thread, unsigned int count)
{
	struct sigaction action = { .sa_handler = give_up_too }, old;
	unsigned int i, patience;

	others.ruleset = ruleset;
	sigaction(SIGUSR1, &action, &old);
	for (i = 0; i < count; i++) {
		others.done = 0;
		if (syscall(SYS_tgkill, getpid(), thread[i], SIGUSR1))
			continue;
		for (patience = PATIENCE_MS; !others.done && patience; patience--)
			usleep(1000);
		if (!others.done)
			detail("a thread has not given up its rights");
	}
	sigaction(SIGUSR1, &old, NULL);
}

/* Find the threads beside this one. Return: how many. */
static unsigned int find_others(pid_t *thread, unsigned int room)
{
	DIR *directory = opendir("/proc/self/task");
	struct dirent *entry;
	unsigned int count = 0;

	while (directory && count < room && (entry = readdir(directory))) {
		thread[count] = atoi(entry->d_name);
		if (thread[count] > 0 && thread[count] != gettid())
			count++;
	}
	if (directory)
		closedir(directory);
	return count;
}

/* Forbid all files but those below the directories, and reading the one that is kept. */
static void restrict_files(const struct sandbox *sandbox, int kept, const pid_t *thread,
			   unsigned int threads)
{
	struct landlock_ruleset_attr ruleset = { .handled_access_fs = landlock_access() };
	const uint64_t access[] = {
		[SANDBOX_READ] = ACCESS_READ,
		[SANDBOX_USE] = ruleset.handled_access_fs,
		[SANDBOX_REMOVE] = LANDLOCK_ACCESS_FS_REMOVE_FILE,
	};
	bool done = false;
	unsigned int i;
	int fd = -1;

	errno = EOPNOTSUPP;
	if (ruleset.handled_access_fs)
		fd = syscall(SYS_landlock_create_ruleset, &ruleset, sizeof(ruleset), 0);
	if (fd >= 0)
		done = allow(fd, kept, LANDLOCK_ACCESS_FS_READ_FILE);
	for (i = 0; done && i < sandbox->directories; i++)
		done = allow(fd, sandbox->directory[i].fd, access[sandbox->directory[i].how]);
	if (!done || syscall(SYS_landlock_restrict_self, fd, 0))
		cannot("Landlock", errno);
	tell_others(fd, thread, threads);
	if (fd >= 0)
		close(fd);
}

/* The sanitizer can't look for leaks inside the sandbox. At exit it calls sigaltstack(). */
#ifdef __SANITIZE_ADDRESS__
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
	return is_entered;
}

static const struct sandbox_call own_calls[] = { SANDBOX_CALL(sigaltstack) };
#define OWN_CALLS	1
#else
#define own_calls	NULL
#define OWN_CALLS	0
#endif

static int add_calls(scmp_filter_ctx filter, const struct sandbox_call *call, unsigned int count)
{
	int error = 0;

	for (; !error && count; call++, count--) {
		if (call->is_missing)
			error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), call->number, 0);
		else if (call->mask)
			error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, call->number, 1,
						 SCMP_CMP(call->argument, SCMP_CMP_MASKED_EQ,
							  call->mask, call->value));
		else
			error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, call->number, 0);
	}
	return error;
}

/*
 * A call that is not on the list fails, but does not kill the process: a new C library may try
 * a call that it can do without.
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
		error = add_calls(filter, own_calls, OWN_CALLS);
	if (!error)
		error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (!error)
		error = seccomp_load(filter);
	if (error)
		cannot("a filter for system calls", -error);
	seccomp_release(filter);
}

/* The parent may have ended before prctl(): so look once more. */
static void end_with_parent(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
}

/**
 * sandbox_enter() - give up all rights that this process does not need
 * @sandbox: what it needs
 *
 * The process ends here if its parent has ended meanwhile, unless it outlives its parent.
 *
 * Its other threads give up the same rights, but they keep their namespaces.
 */
void sandbox_enter(const struct sandbox *sandbox)
{
	pid_t thread[MAX_OTHERS], parent = getppid();
	unsigned int threads;
	struct kept kept;

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (sandbox_wanted) {
		threads = find_others(thread, MAX_OTHERS);
		keep_file(&kept, sandbox->file);
		enter_namespaces(sandbox, &kept);
		drop_capabilities(sandbox->keep_capabilities);
		restrict_files(sandbox, kept.fd, thread, threads);
		if (kept.fd >= 0)
			close(kept.fd);
	}
	/* Changing capabilities and namespaces resets both of these: so set them now. */
	if (sandbox_wanted)
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (!sandbox->outlives_parent)
		end_with_parent(parent);
	if (sandbox_wanted)
		restrict_calls(sandbox);
	is_entered = sandbox_wanted;
	if (sandbox_intruder)
		sandbox_intruder();
}
