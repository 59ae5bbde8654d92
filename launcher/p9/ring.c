// SPDX-License-Identifier: GPL-2.0-only
/*
 * A server of files in its own process. The process has the shared directory, /proc/self/fd
 * and the memory with requests and replies, but no guest memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/event.h"
#include "base/file.h"
#include "base/message.h"
#include "sandbox/sandbox.h"
#include "p9/ring.h"

/* The device waits no longer for an answer, since it has other work, too. */
#define DEVICE_SLEEP_MS	100

/* Sleep until *@number is not @is; it may end too early, and ends after @timeout. */
static void sleep_on(atomic_uint *number, uint32_t is, const struct timespec *timeout)
{
	syscall(SYS_futex, number, FUTEX_WAIT, is, timeout, NULL, 0);
}

static void wake(atomic_uint *number)
{
	syscall(SYS_futex, number, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* --- In the process. --- */

/* What a read-only server needs. */
static const struct sandbox_call calls[] = {
	SANDBOX_EVERY_PROCESS,
	SANDBOX_CALL_IF(openat, 2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY),
	SANDBOX_CALL(newfstatat),
	SANDBOX_CALL(fstatfs),
	SANDBOX_CALL(readlinkat),
	SANDBOX_CALL(pread64),
	SANDBOX_CALL(getdents64),
	SANDBOX_CALL(lseek),
	SANDBOX_CALL(fsync),
	SANDBOX_CALL(fdatasync),
	SANDBOX_CALL_IF(fcntl, 1, SANDBOX_INT, F_DUPFD_CLOEXEC),
	SANDBOX_CALL_IF(fcntl, 1, SANDBOX_INT, F_SETFL),
	SANDBOX_CALL(close),
	SANDBOX_CALL(write),
	SANDBOX_CALL(clock_nanosleep),
	/* p9_server_rights() */
	SANDBOX_CALL(geteuid),
	SANDBOX_CALL(capget),
};

/* What a server that changes files needs, too. */
static const struct sandbox_call changing_calls[] = {
	SANDBOX_CALL(openat),
	SANDBOX_CALL(mkdirat),
	SANDBOX_CALL(mknodat),
	SANDBOX_CALL(symlinkat),
	SANDBOX_CALL(linkat),
	SANDBOX_CALL(renameat),
	SANDBOX_CALL(unlinkat),
	SANDBOX_CALL(pwrite64),
	SANDBOX_CALL(ftruncate),
	SANDBOX_CALL(fchownat),
	SANDBOX_CALL(fchmodat),
	SANDBOX_CALL(utimensat),
	SANDBOX_CALL(setfsuid),
	SANDBOX_CALL(setfsgid),
	SANDBOX_CALL(getegid),
	SANDBOX_CALL(capset),
	SANDBOX_CALL_IF(prctl, 0, SANDBOX_INT, PR_SET_PDEATHSIG),
	SANDBOX_CALL(getppid),
};

/* To make files for any owner, and to do with them whatever the guest's root may do. */
static const int capabilities[] = {
	CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID, CAP_SETUID, CAP_SETGID, -1
};

struct task {
	struct p9_process *process;
	int root;
	bool read_only;
};

static void serve(struct p9_server *server, struct p9_slot *slot)
{
	uint32_t size = READ_ONCE(slot->size), room = READ_ONCE(slot->room);

	if (READ_ONCE(slot->forget))
		p9_fid_drop_all(server);
	if (size > sizeof(slot->request) || room > sizeof(slot->reply))
		_exit(EXIT_FAILURE);
	WRITE_ONCE(slot->replied, p9_serve(server, slot->request, size, slot->reply, room));
}

/* Wake the device if it waits for an answer. Return: false if the eventfd does not work. */
static bool tell_device(struct p9_process *process)
{
	struct p9_ring *ring = process->ring;
	uint64_t one = 1;

	if (atomic_load(&ring->device_sleeps))
		wake(&ring->answered);
	return !atomic_load(&ring->device_polls) || write(process->replies, &one, sizeof(one)) > 0;
}

/* Serve for ever: when the launcher ends, the kernel kills this process. */
static void serve_all(struct p9_server *server, struct p9_process *process)
{
	struct p9_ring *ring = process->ring;
	uint32_t served = 0;

	for (;;) {
		while (atomic_load(&ring->asked) != served) {
			serve(server, &ring->slot[served++ % P9_SLOTS]);
			atomic_store(&ring->answered, served);
			if (!tell_device(process))
				return;
		}
		atomic_store(&ring->server_sleeps, true);
		if (atomic_load(&ring->asked) == served)
			sleep_on(&ring->asked, served, NULL);
		atomic_store(&ring->server_sleeps, false);
	}
}

static void run(int socket, void *argument)
{
	static struct p9_server server;
	const struct task *task = argument;
	struct sandbox sandbox = {
		.namespaces = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS,
		.sees_owners = true,
		.keep_capabilities = capabilities,
		.directories = 1,
		.directory = { { task->root, task->read_only ? SANDBOX_READ : SANDBOX_USE } },
		.calls = calls,
		.count = ARRAY_SIZE(calls),
		.more_calls = changing_calls,
		.more_count = task->read_only ? 0 : ARRAY_SIZE(changing_calls),
	};

	(void)socket;
	if (p9_server_begin(&server, task->root, task->read_only))
		return;
	p9_thread_init();
	server.parent = getppid();
	sandbox_enter(&sandbox);	/* ends the process if that parent has ended */
	p9_server_rights(&server);
	serve_all(&server, task->process);
}

/* --- In the launcher. --- */

static int make_ring(struct p9_process *process)
{
	process->ring = mmap(NULL, sizeof(*process->ring), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (process->ring == MAP_FAILED) {
		process->ring = NULL;
		return no_memory();
	}
	process->replies = event_new();
	return process->replies < 0 ? process->replies : 0;
}

/**
 * p9_process_start() - start a server
 * @process: filled in; p9_process_stop() it, whatever this returns
 * @directory: the name of the directory that it shares
 * @read_only: the client can change nothing
 *
 * Return: 0, or a negative errno after telling the person.
 */
int p9_process_start(struct p9_process *process, const char *directory, bool read_only)
{
	struct task task = { .process = process, .read_only = read_only };
	int keep[2], error;

	*process = (struct p9_process){ .replies = -1 };
	task.root = p9_open_root(directory);
	if (task.root < 0)
		return task.root;
	error = make_ring(process);
	if (!error) {
		keep[0] = task.root;
		keep[1] = process->replies;
		error = process_start(&process->process, "lguest-9p", run, &task, keep, 2);
		/* Processes forked later must not have this memory. */
		madvise(process->ring, sizeof(*process->ring), MADV_DONTFORK);
	}
	close(task.root);
	return error;
}

/**
 * p9_process_stop() - end a server
 * @process: from p9_process_start()
 */
void p9_process_stop(struct p9_process *process)
{
	process_stop(&process->process);
	file_close(&process->replies);
	if (process->ring)
		munmap(process->ring, sizeof(*process->ring));
	process->ring = NULL;
}

/**
 * p9_process_slot() - get the slot for the next request
 * @process: the server
 *
 * Return: the slot, or NULL while all slots are under way.
 */
struct p9_slot *p9_process_slot(struct p9_process *process)
{
	if (process->asked - process->done == P9_SLOTS)
		return NULL;
	return &process->ring->slot[process->asked % P9_SLOTS];
}

/**
 * p9_process_ask() - give the server the slot from p9_process_slot(), which is filled in
 * @process: the server
 */
void p9_process_ask(struct p9_process *process)
{
	atomic_store(&process->ring->asked, ++process->asked);
	if (atomic_load(&process->ring->server_sleeps))
		wake(&process->ring->asked);
}

/**
 * p9_process_wait() - wait for an answer, at most DEVICE_SLEEP_MS
 * @process: the server
 *
 * Return: false if there is none yet, or no request is under way.
 */
bool p9_process_wait(struct p9_process *process)
{
	static const struct timespec while_ = { .tv_nsec = DEVICE_SLEEP_MS * 1000000 };
	struct p9_ring *ring = process->ring;

	if (process->asked == process->done)
		return false;
	atomic_store(&ring->device_sleeps, true);
	if (atomic_load(&ring->answered) == process->done)
		sleep_on(&ring->answered, process->done, &while_);
	atomic_store(&ring->device_sleeps, false);
	return atomic_load(&ring->answered) != process->done;
}

/**
 * p9_process_poll() - let answers signal the eventfd process->replies, or not
 * @process: the server
 * @on: signal each answer from now on; look for earlier ones with p9_process_answer()
 */
void p9_process_poll(struct p9_process *process, bool on)
{
	atomic_store(&process->ring->device_polls, on);
}

/**
 * p9_process_answer() - take the next answer
 * @process: the server
 * @slot: receives the request and its answer, which stay until the next p9_process_slot();
 *	  NULL: there is no answer yet
 *
 * Answers come in the order of requests.
 *
 * Return: false if the server claims to have answered more than it was asked.
 */
bool p9_process_answer(struct p9_process *process, struct p9_slot **slot)
{
	uint32_t answered = atomic_load(&process->ring->answered);

	*slot = NULL;
	if (answered == process->done)
		return true;
	if (answered - process->done > process->asked - process->done)
		return false;
	*slot = &process->ring->slot[process->done++ % P9_SLOTS];
	return true;
}
