// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the Launcher gives up before the Guest runs: all is open by then, for as many starts
 * of the Guest as there will be. Its threads share memory and descriptors, so one filter of
 * system calls is for all of them: what serves devices could have another thread do what it
 * must not do itself.
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

/* A thread, no process. */
#define THREAD		(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)

static const struct sandbox_call calls[] = {
	SANDBOX_EVERY_PROCESS,
	/* Threads, memory, time. */
	SANDBOX_NO_CALL(clone3),	/* it can't be looked into; the C library has the old one, too */
	SANDBOX_CALL_IF(clone, 0, THREAD | CLONE_NEWUSER | CLONE_NEWNS, THREAD),
	SANDBOX_CALL(set_robust_list),
	SANDBOX_CALL(rseq),
	SANDBOX_CALL(exit),
	SANDBOX_CALL(sched_getaffinity),
	SANDBOX_CALL(sched_yield),
	SANDBOX_CALL(sysinfo),
	SANDBOX_CALL_IF(prlimit64, 2, ~0ULL, 0),	/* to know, not to change */
	SANDBOX_CALL(getrandom),
	SANDBOX_CALL(clock_nanosleep),
	SANDBOX_CALL(restart_syscall),
	SANDBOX_CALL(getpid),
	SANDBOX_CALL(gettid),
	SANDBOX_CALL(geteuid),
	/* Signals; the end of a process that is ours. */
	SANDBOX_CALL(rt_sigaction),
	SANDBOX_CALL(rt_sigprocmask),
	SANDBOX_CALL(rt_sigreturn),
	SANDBOX_CALL(pidfd_send_signal),
	SANDBOX_CALL(wait4),
	/* What is open. */
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
	/* The name of our socket, at the end. */
	SANDBOX_CALL(unlinkat),
	SANDBOX_CALL(flock),
	/* lg.ko, */
	IOCTL(LGUEST_RUN),
	IOCTL(LGUEST_CREATE_VM),
	IOCTL(LGUEST_CREATE_VCPU),
	IOCTL(LGUEST_SET_MEMORY),
	IOCTL(LGUEST_SET_SHADOW_LIMIT),
	IOCTL(LGUEST_IRQFD),
	IOCTL(LGUEST_IOEVENTFD),
	IOCTL(LGUEST_PAUSE),
	IOCTL(LGUEST_GET_REGS),
	IOCTL(LGUEST_SET_REGS),
	IOCTL(LGUEST_GET_STATS),
	/* the Host's network and sockets, */
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

/* Signals to ourselves. */
#define OWN_CALLS	2

_Static_assert(SANDBOX_MAX_DIRECTORIES == 1 + OPTIONS_MAX_DEVICES,
	       "our socket's, and one for each device");

/* To meet others at a socket again and again. */
static const struct sandbox_call meeting_calls[] = {
	SANDBOX_CALL_IF(socket, 0, SANDBOX_INT, AF_UNIX),
	SANDBOX_CALL(connect),
	SANDBOX_CALL(bind),
	SANDBOX_CALL(listen),
	SANDBOX_CALL(openat),
	SANDBOX_CALL(newfstatat),
	SANDBOX_CALL(unlink),
};

/* The folders of sockets where others come and go, as their devices have opened them. */
static int meeting_place[OPTIONS_MAX_DEVICES];
static unsigned int meeting_places;

/**
 * vm_sandbox_meets_in() - a device will meet others at a socket, again and again
 * @folder: where that is, open as long as the device lives; never opened by name again
 *
 * Before vm_sandbox(), by the thread that makes the devices.
 */
void vm_sandbox_meets_in(int folder)
{
	if (meeting_places < OPTIONS_MAX_DEVICES)
		meeting_place[meeting_places++] = folder;
}

/**
 * vm_sandbox_leaves() - that device goes
 * @folder: as it said
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
 * vm_sandbox() - give up all but what the Guest needs
 * @socket_directory: what others' socket is removed from in the end, or -1
 *
 * All is open, and hardly a thread is there: for a disk's program, or a command's signals.
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
		.sees_owners = true,	/* lg.ko and the Host's devices are ours as we are */
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
	/* Each new thread would look for the number of CPUs in a file. */
	mallopt(M_ARENA_MAX, 1);
	sandbox_enter(&sandbox);
}
