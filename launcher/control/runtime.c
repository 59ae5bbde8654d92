// SPDX-License-Identifier: GPL-2.0-only
/*
 * The directory with the sockets of this user's running guests, NAME.sock each.
 *
 * A socket to which nobody listens belongs to a launcher that was killed. Whoever finds such a
 * socket removes it, and each launcher that starts looks for all of them. The directory is
 * locked while a name is taken or looked at, so that nobody sees a socket before its launcher
 * listens to it.
 *
 * Beside the socket is NAME.pid, an empty file that the launcher has locked. By this lock the
 * kernel says which process has the name, even if that process is stopped and the queue of its
 * socket is full.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/message.h"
#include "control/runtime.h"
#include "base/unix_socket.h"

#define SUFFIX		".sock"
#define PID_SUFFIX	".pid"
#define BACKLOG		128

/*
 * The holder of the lock is a lguest that is at work or stopped, or another program of this
 * user.
 */
#define LOCK_MS		5000
#define LOOK_MS		20

static int pid_lock = -1;	/* NAME.pid of this process's guest */

/**
 * runtime_check_name() - check a name for a guest
 * @name: the name: letters, digits, and within it . _ -
 *
 * Return: 0, or -EINVAL after telling the person.
 */
int runtime_check_name(const char *name)
{
	const char *at = name;

	while (isalnum((unsigned char)*at) || (at > name && *at && strchr("._-", *at)))
		at++;
	if (at == name || *at || at - name >= RUNTIME_NAME_MAX)
		return misused("'%s' is no name for a guest: say up to %d letters and digits, and . _ - within",
			      name, RUNTIME_NAME_MAX - 1);
	return 0;
}

static bool is_own_directory(const char *path)
{
	struct stat status;

	return !stat(path, &status) && S_ISDIR(status.st_mode) && status.st_uid == geteuid();
}

/*
 * XDG_RUNTIME_DIR may be another user's, after su or "sudo -E". What root made there would keep
 * that user out. Use /tmp last, since anybody may have made the directory there.
 */
static int find_path(struct runtime *runtime)
{
	const char *base = getenv("XDG_RUNTIME_DIR");
	char users[32];
	int length;

	snprintf(users, sizeof(users), "/run/user/%u", geteuid());
	if (base && *base == '/' && is_own_directory(base))
		length = snprintf(runtime->path, sizeof(runtime->path), "%s/lguest", base);
	else if (geteuid() == 0)
		length = snprintf(runtime->path, sizeof(runtime->path), "/run/lguest");
	else if (is_own_directory(users))
		length = snprintf(runtime->path, sizeof(runtime->path), "%s/lguest", users);
	else
		length = snprintf(runtime->path, sizeof(runtime->path), "/tmp/lguest-%u", geteuid());
	if (length >= (int)sizeof(runtime->path))
		return refuse(-ENAMETOOLONG, "XDG_RUNTIME_DIR is too long for a socket's name");
	return 0;
}

/* Anybody may have made the directory in /tmp: it must be ours alone. */
static int check_owner(const struct runtime *runtime)
{
	struct stat stat;

	if (fstat(runtime->fd, &stat) < 0)
		return refuse(-errno, "can't look at %s: %s", runtime->path, strerror(errno));
	if (stat.st_uid != geteuid() || stat.st_mode & 077)
		return refuse(-EPERM, "%s is not yours alone: its owner must be you, its mode 0700",
			      runtime->path);
	return 0;
}

static int lock(const struct runtime *runtime)
{
	int64_t until = now_ms() + LOCK_MS;

	while (flock(runtime->fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return refuse(-errno, "can't lock %s: %s", runtime->path, strerror(errno));
		if (now_ms() >= until)
			return refuse(-EBUSY, "another process keeps %s locked: 'fuser -v %s' says which",
				      runtime->path, runtime->path);
		usleep(LOOK_MS * 1000);
	}
	return 0;
}

/**
 * runtime_open() - open and lock the directory
 * @runtime: filled in; runtime_close() it if this succeeds
 * @create: make it, if it is not there
 *
 * Return: 0; -ENOENT if the directory does not exist and @create is false, and nobody is
 * told; another negative errno after telling the person.
 */
int runtime_open(struct runtime *runtime, bool create)
{
	int error;

	runtime->fd = -1;
	error = find_path(runtime);
	if (error)
		return error;
	if (create && mkdir(runtime->path, 0700) < 0 && errno != EEXIST)
		return refuse(-errno, "can't make %s for the guest's socket: %s", runtime->path,
			      strerror(errno));
	runtime->fd = open(runtime->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (runtime->fd < 0) {
		if (errno == ENOENT && !create)
			return -ENOENT;
		return refuse(-errno, "can't open %s: %s", runtime->path, strerror(errno));
	}
	error = check_owner(runtime);
	if (!error)
		error = lock(runtime);
	if (error)
		runtime_close(runtime);
	return error;
}

/**
 * runtime_unlock() - unlock the directory, but keep it open
 * @runtime: from runtime_open()
 */
void runtime_unlock(const struct runtime *runtime)
{
	flock(runtime->fd, LOCK_UN);
}

/**
 * runtime_close() - close and unlock the directory
 * @runtime: from runtime_open()
 */
void runtime_close(struct runtime *runtime)
{
	file_close(&runtime->fd);
}

static int find_address(const struct runtime *runtime, const char *name,
			struct sockaddr_un *address)
{
	if (unix_address(address, "%s/%s" SUFFIX, runtime->path, name))
		return refuse(-ENAMETOOLONG, "'%s' is too long a name here: say a shorter one", name);
	return 0;
}

static int make_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? refuse(-errno, "can't make a socket: %s", strerror(errno)) : fd;
}

static int open_pid_file(const struct runtime *runtime, const char *name, int flags)
{
	char file[RUNTIME_NAME_MAX + sizeof(PID_SUFFIX)];

	snprintf(file, sizeof(file), "%s" PID_SUFFIX, name);
	return openat(runtime->fd, file, O_RDWR | O_NOFOLLOW | O_CLOEXEC | flags, 0600);
}

/* Find the process that has a name. Return: its number, or 0. */
static pid_t find_pid(const struct runtime *runtime, const char *name)
{
	struct flock holder = { .l_type = F_WRLCK };
	int fd = open_pid_file(runtime, name, 0);
	bool is_held;

	if (fd < 0)
		return 0;
	is_held = !fcntl(fd, F_GETLK, &holder) && holder.l_type != F_UNLCK;
	close(fd);
	return is_held ? holder.l_pid : 0;
}

/* Lock NAME.pid until this process ends. If that fails, the socket alone has to do. */
static void hold_pid_file(const struct runtime *runtime, const char *name)
{
	struct flock lock = { .l_type = F_WRLCK };

	file_close(&pid_lock);
	pid_lock = open_pid_file(runtime, name, O_CREAT);
	if (pid_lock >= 0)
		fcntl(pid_lock, F_SETLK, &lock);
}

/* The socket last: it is what is looked for, should this process be killed in between. */
static void remove_name(const struct runtime *runtime, const char *name)
{
	char file[RUNTIME_NAME_MAX + sizeof(SUFFIX)];

	snprintf(file, sizeof(file), "%s" PID_SUFFIX, name);
	unlinkat(runtime->fd, file, 0);
	snprintf(file, sizeof(file), "%s" SUFFIX, name);
	unlinkat(runtime->fd, file, 0);
}

/**
 * runtime_connect() - connect to a guest's launcher
 * @runtime: from runtime_open()
 * @name: the guest's
 * @pid: the process of its launcher goes there
 *
 * Return: a descriptor; -ENOENT if there is no such guest, or -EAGAIN if its launcher
 * accepts nobody and its queue is full, and nobody is told; another negative errno after
 * telling the person.
 */
int runtime_connect(struct runtime *runtime, const char *name, pid_t *pid)
{
	struct sockaddr_un address;
	struct ucred peer = { 0 };
	socklen_t size = sizeof(peer);
	int fd, error;

	error = find_address(runtime, name, &address);
	fd = error ? error : make_socket();
	if (fd < 0)
		return fd;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		error = -errno;
		close(fd);
		if (error == -ECONNREFUSED) {
			detail("removing %s: its guest is gone", address.sun_path);
			remove_name(runtime, name);
			error = -ENOENT;
		}
		*pid = error == -EAGAIN ? find_pid(runtime, name) : 0;
		return error == -ENOENT || error == -EAGAIN ? error : refuse(error, "can't connect to %s: %s",
							 address.sun_path, strerror(-error));
	}
	fcntl(fd, F_SETFL, 0);
	/* The kernel has noted the process that called listen(). */
	getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
	*pid = peer.pid;
	return fd;
}

/*
 * Remove the names of all launchers that were killed: each has left two files that nobody may
 * ever ask for again. A launcher that lives has locked its NAME.pid, and is not disturbed. A
 * process that has a name itself must not look: its close() of its own NAME.pid would give up
 * the lock.
 */
static void remove_dead_names(struct runtime *runtime)
{
	char **names;
	int fd, i, count;
	pid_t pid;

	if (pid_lock >= 0)
		return;
	count = runtime_names(runtime, &names);
	for (i = 0; i < count; i++) {
		if (find_pid(runtime, names[i]))
			continue;
		fd = runtime_connect(runtime, names[i], &pid);
		file_close(&fd);
	}
	if (count >= 0)
		runtime_free_names(names, count);
}

/**
 * runtime_listen() - take a name
 * @runtime: from runtime_open()
 * @name: free, or it is refused
 *
 * Removes what killed launchers have left.
 *
 * Return: a descriptor that listens, or a negative errno after telling the person.
 */
int runtime_listen(struct runtime *runtime, const char *name)
{
	struct sockaddr_un address;
	int fd, error;
	mode_t mask;
	pid_t pid;

	remove_dead_names(runtime);
	fd = runtime_connect(runtime, name, &pid);
	if (fd >= 0 || fd == -EAGAIN) {
		file_close(&fd);
		return refuse(-EEXIST,
			      "there is a guest '%s' already, of process %d: say another --name, or 'lguest stop %s'",
			      name, pid, name);
	}
	if (fd != -ENOENT)
		return fd;
	error = find_address(runtime, name, &address);
	fd = error ? error : make_socket();
	if (fd < 0)
		return fd;
	mask = umask(0177);
	error = bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
	umask(mask);
	if (!error && listen(fd, BACKLOG) < 0)
		error = -errno;
	if (!error) {
		hold_pid_file(runtime, name);
		return fd;
	}
	close(fd);
	return refuse(error, "can't make %s: %s", address.sun_path, strerror(-error));
}

static int is_socket(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name), suffix = strlen(SUFFIX);

	return length > suffix && length - suffix < RUNTIME_NAME_MAX &&
	       !strcmp(entry->d_name + length - suffix, SUFFIX);
}

/**
 * runtime_names() - list the names, sorted
 * @runtime: from runtime_open()
 * @names: go there; runtime_free_names() them. Some may belong to launchers that were killed
 *
 * Return: how many, or a negative errno after telling the person.
 */
int runtime_names(struct runtime *runtime, char ***names)
{
	struct dirent **entries;
	int i, count = scandir(runtime->path, &entries, is_socket, alphasort);

	if (count < 0)
		return refuse(-errno, "can't read %s: %s", runtime->path, strerror(errno));
	*names = calloc(count + 1, sizeof(**names));
	for (i = 0; i < count; i++) {
		size_t length = strlen(entries[i]->d_name) - strlen(SUFFIX);

		if (*names)
			(*names)[i] = strndup(entries[i]->d_name, length);
		free(entries[i]);
	}
	free(entries);
	for (i = 0; *names && i < count && (*names)[i]; i++)
		;
	if (*names && i == count)
		return count;
	if (*names)
		runtime_free_names(*names, count);
	return no_memory();
}

/**
 * runtime_free_names() - free what runtime_names() allocated
 * @names: from there
 * @count: how many
 */
void runtime_free_names(char **names, int count)
{
	while (count--)
		free(names[count]);
	free(names);
}

/**
 * runtime_remove() - give a name back
 * @runtime: from runtime_open(), and not locked any more
 * @name: from runtime_listen(), whose descriptor is still open, so that nobody else can have
 *	    taken it
 */
void runtime_remove(const struct runtime *runtime, const char *name)
{
	if (lock(runtime))
		return;
	remove_name(runtime, name);
	runtime_unlock(runtime);
	file_close(&pid_lock);
}
