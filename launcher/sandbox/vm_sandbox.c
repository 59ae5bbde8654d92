// SPDX-License-Identifier: GPL-2.0-only
/*
 * What rights the launcher gives up before the guest runs. By then everything is open that
 * any later start of the guest needs. All threads get the same filter of system calls: they
 * share memory and descriptors, so a thread that serves a device could make another thread do
 * what its own filter forbids.
 */
#include <asm/ioctls.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/if_tun.h>
#include <linux/io_uring.h>
#include <linux/vhost.h>
#include <malloc.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/compiler.h"
#include "option/config.h"
#include "lguest_uapi.h"
#include "sandbox/sandbox.h"
#include "sandbox/vm_sandbox.h"

#define IOCTL(request)	SANDBOX_CALL_IF(ioctl, 1, SANDBOX_INT, request)

/* The flags of clone() for a thread, not a process. */
#define THREAD		(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)

static const struct sandbox_call calls[] = {
	SANDBOX_EVERY_PROCESS,
	/* Threads, memory, time. */
	SANDBOX_NO_CALL(clone3),	/* no filter sees its flags; libc has clone, too */
	SANDBOX_CALL_IF(clone, 0, THREAD | CLONE_NEWUSER | CLONE_NEWNS, THREAD),
	SANDBOX_CALL(set_robust_list),
	SANDBOX_CALL(rseq),
	SANDBOX_CALL(exit),
	SANDBOX_CALL(sched_getaffinity),
	SANDBOX_CALL(sched_yield),
	SANDBOX_CALL(sysinfo),
	SANDBOX_CALL_IF(prlimit64, 2, ~0ULL, 0),	/* to read limits, not to set them */
	SANDBOX_CALL(getrandom),
	SANDBOX_CALL(clock_nanosleep),
	SANDBOX_CALL(restart_syscall),
	SANDBOX_CALL(getpid),
	SANDBOX_CALL(gettid),
	SANDBOX_CALL(geteuid),
	/* Signals; ending a process of our own. */
	SANDBOX_CALL(rt_sigaction),
	SANDBOX_CALL(rt_sigprocmask),
	SANDBOX_CALL(rt_sigreturn),
	SANDBOX_CALL(pidfd_send_signal),
	SANDBOX_CALL(wait4),
	/* Open descriptors. */
	SANDBOX_CALL(read),
	SANDBOX_CALL(readv),
	SANDBOX_CALL(pread64),
	SANDBOX_CALL(preadv),
	SANDBOX_CALL(write),
	SANDBOX_CALL(writev),
	SANDBOX_CALL(pwrite64),
	SANDBOX_CALL(pwritev2),
	SANDBOX_CALL(lseek),
	SANDBOX_CALL(fdatasync),
	SANDBOX_CALL(fallocate),
	SANDBOX_CALL(ftruncate),
	SANDBOX_CALL(io_uring_enter),
	SANDBOX_CALL_IF(io_uring_register, 1, SANDBOX_INT, IORING_UNREGISTER_FILES),
	SANDBOX_CALL(poll),
	SANDBOX_CALL(ppoll),
	SANDBOX_CALL(close),
	SANDBOX_CALL(dup2),
	SANDBOX_CALL(dup3),
	SANDBOX_CALL(fstat),
	SANDBOX_CALL_IF(newfstatat, 3, SANDBOX_INT, AT_EMPTY_PATH),
	SANDBOX_CALL_IF(fcntl, 1, SANDBOX_INT, F_GETFL),
	SANDBOX_CALL_IF(fcntl, 1, SANDBOX_INT, F_SETFL),
	SANDBOX_CALL_IF(fcntl, 1, SANDBOX_INT, F_GETFD),
	SANDBOX_CALL_IF(fcntl, 1, SANDBOX_INT, F_DUPFD_CLOEXEC),
	SANDBOX_CALL_IF(fcntl, 1, SANDBOX_INT, F_GET_SEALS),
	SANDBOX_CALL(timerfd_settime),
	SANDBOX_CALL(eventfd2),
	SANDBOX_CALL(signalfd4),
	SANDBOX_CALL(accept4),
	SANDBOX_CALL(recvfrom),
	SANDBOX_CALL(recvmsg),
	SANDBOX_CALL(sendto),
	SANDBOX_CALL(sendmsg),
	SANDBOX_CALL(shutdown),
	SANDBOX_CALL(setsockopt),
	SANDBOX_CALL(getsockopt),
	/* Removing the control socket's name at the end. */
	SANDBOX_CALL(unlinkat),
	SANDBOX_CALL(flock),
	/* lg.ko, */
	IOCTL(LGUEST_RUN),
	IOCTL(LGUEST_CREATE_VM),
	IOCTL(LGUEST_CREATE_VCPU),
	IOCTL(LGUEST_SET_MEMORY),
	IOCTL(LGUEST_SET_ABI),
	IOCTL(LGUEST_XEN_SETUP),
	IOCTL(LGUEST_SET_SHADOW_LIMIT),
	IOCTL(LGUEST_IRQFD),
	IOCTL(LGUEST_IOEVENTFD),
	IOCTL(LGUEST_PAUSE),
	IOCTL(LGUEST_GET_REGS),
	IOCTL(LGUEST_SET_REGS),
	IOCTL(LGUEST_GET_STATS),
	/* the host's network and sockets, */
	IOCTL(TUNSETOFFLOAD),
	IOCTL(VHOST_SET_OWNER),
	IOCTL(VHOST_GET_FEATURES),
	IOCTL(VHOST_SET_FEATURES),
	IOCTL(VHOST_SET_MEM_TABLE),
	IOCTL(VHOST_SET_VRING_NUM),
	IOCTL(VHOST_SET_VRING_ADDR),
	IOCTL(VHOST_SET_VRING_BASE),
	IOCTL(VHOST_GET_VRING_BASE),
	IOCTL(VHOST_SET_VRING_KICK),
	IOCTL(VHOST_SET_VRING_CALL),
	IOCTL(VHOST_NET_SET_BACKEND),
	IOCTL(VHOST_VSOCK_SET_RUNNING),
	IOCTL(VHOST_VSOCK_SET_GUEST_CID),
	/* and terminals. */
	IOCTL(TCGETS),
	IOCTL(TCSETS),
	IOCTL(TIOCGWINSZ),
	IOCTL(TIOCSWINSZ),
	IOCTL(TIOCGPGRP),
};

/* Calls that send signals to ourselves. */
#define OWN_CALLS	2

_Static_assert(SANDBOX_MAX_DIRECTORIES == 1 + OPTIONS_MAX_DEVICES,
	       "the control socket's, and one for each device");

/* Calls that make or connect to a socket by its name, again and again. */
static const struct sandbox_call meeting_calls[] = {
	SANDBOX_CALL_IF(socket, 0, SANDBOX_INT, AF_UNIX),
	SANDBOX_CALL(connect),
	SANDBOX_CALL(bind),
	SANDBOX_CALL(listen),
	SANDBOX_CALL(openat),
	SANDBOX_CALL(newfstatat),
	SANDBOX_CALL(unlink),
};

/* The folders of those sockets, opened by their devices. */
static int meeting_place[OPTIONS_MAX_DEVICES];
static unsigned int meeting_places;

/**
 * vm_sandbox_meets_in() - keep a folder where a device makes or finds a socket again and again
 * @folder: its descriptor, open as long as the device lives; never opened by name again
 *
 * Call this before vm_sandbox(), in the thread that makes the devices.
 */
void vm_sandbox_meets_in(int folder)
{
	if (meeting_places < OPTIONS_MAX_DEVICES)
		meeting_place[meeting_places++] = folder;
}

/**
 * vm_sandbox_leaves() - undo vm_sandbox_meets_in(): the device goes
 * @folder: the same descriptor
 */
void vm_sandbox_leaves(int folder)
{
	unsigned int i;

	for (i = 0; i < meeting_places; i++)
		if (meeting_place[i] == folder) {
			meeting_place[i] = meeting_place[--meeting_places];
			return;
		}
}

/**
 * vm_sandbox() - give up all rights that running the guest does not need
 * @socket_directory: the folder of the control socket, which is removed at the end; or -1
 *
 * Call this when everything is open. Of threads there may be those that speak to a disk's
 * program, and a command's session.
 */
void vm_sandbox(int socket_directory)
{
	struct sandbox_call own[OWN_CALLS + ARRAY_SIZE(meeting_calls)] = {
		SANDBOX_CALL_IF(kill, 0, SANDBOX_INT, getpid()),
		SANDBOX_CALL_IF(tgkill, 0, SANDBOX_INT, getpid()),
	};
	struct sandbox_call *end = own + OWN_CALLS;
	struct sandbox sandbox = {
		.namespaces = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS,
		.sees_owners = true,	/* lg.ko and other devices check who we are */
		.outlives_parent = true,
		.calls = calls,
		.count = ARRAY_SIZE(calls),
		.directory[0] = { socket_directory, SANDBOX_REMOVE },
		.directories = 1,
	};
	unsigned int i;

	for (i = 0; i < meeting_places; i++)
		sandbox.directory[sandbox.directories++] =
			(struct sandbox_directory){ meeting_place[i], SANDBOX_USE };
	if (meeting_places) {
		sandbox.namespaces = 0;
		memcpy(own + OWN_CALLS, meeting_calls, sizeof(meeting_calls));
		end = own + ARRAY_SIZE(own);
	}
	sandbox.more_calls = own;
	sandbox.more_count = end - own;
	/* malloc() in a new thread would read a file to find the number of CPUs. */
	mallopt(M_ARENA_MAX, 1);
	sandbox_enter(&sandbox);
}
