// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioctl_fuzz's launcher that has its virtual CPU closed below LGUEST_RUN.
 *
 * LGUEST_RUN does task work, and io_uring closes descriptors in it. A process with one
 * thread has no reference to the file of its ioctl() but the descriptor (fdget()): without
 * one of lg.ko's own, the virtual CPU and its VM go while they run. A host that poisons or
 * watches what is freed ends there (slub_debug=P, KASAN).
 *
 *   the timer's tick     it is the other process's turn; a CPU timer is over: task work
 *   LGUEST_RUN           sees both, and lets the other one run first
 *   the other process    runs until its turn is over
 *   io_uring's timer     meanwhile: more task work, and a signal for it
 *   LGUEST_RUN           goes on with task work: CLOSE of the virtual CPU, CLOSE of the VM
 *
 * That is one VM of ten or so: if the signal comes at another time, LGUEST_RUN ends first.
 * With full preemption the other one runs before LGUEST_RUN looks, and it is one of hundreds.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ioctl_fuzz.h"
#include "tap.h"
#include "vm.h"

#define SECONDS	4

struct ring {
	int fd;
	char *queues;
	struct io_uring_sqe *entries;
	struct io_uring_params p;
};

static int ring_make(struct ring *ring)
{
	size_t size;

	*ring = (struct ring){ 0 };
	ring->fd = syscall(SYS_io_uring_setup, 4, &ring->p);
	if (ring->fd < 0)
		return -1;
	size = ring->p.cq_off.cqes + ring->p.cq_entries * sizeof(struct io_uring_cqe);
	if (size < ring->p.sq_off.array + ring->p.sq_entries * sizeof(uint32_t))
		size = ring->p.sq_off.array + ring->p.sq_entries * sizeof(uint32_t);
	ring->queues = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd,
			    IORING_OFF_SQ_RING);
	ring->entries = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd,
			     IORING_OFF_SQES);
	return ring->queues == MAP_FAILED || ring->entries == MAP_FAILED ? -1 : 0;
}

static _Atomic uint32_t *ring_word(struct ring *ring, uint32_t offset)
{
	return (_Atomic uint32_t *)(ring->queues + offset);
}

/* In @ns, close @first and then @second. */
static int close_soon(struct ring *ring, long ns, int first, int second)
{
	static struct __kernel_timespec when;	/* read by io_uring_enter() */
	uint32_t tail = *ring_word(ring, ring->p.sq_off.tail), i;

	when.tv_nsec = ns;
	for (i = 0; i < 3; i++) {
		uint32_t slot = (tail + i) % ring->p.sq_entries;

		ring_word(ring, ring->p.sq_off.array)[slot] = slot;
		/* The end of a timeout counts as a failure: only a hard link goes on. */
		ring->entries[slot] = i == 0 ?
			(struct io_uring_sqe){ .opcode = IORING_OP_TIMEOUT, .flags = IOSQE_IO_HARDLINK,
					       .addr = (uintptr_t)&when, .len = 1 } :
			(struct io_uring_sqe){ .opcode = IORING_OP_CLOSE, .fd = i == 1 ? first : second,
					       .flags = i == 1 ? IOSQE_IO_HARDLINK : 0 };
	}
	*ring_word(ring, ring->p.sq_off.tail) = tail + 3;
	/* What came of the last ones is of no interest. */
	*ring_word(ring, ring->p.cq_off.head) = *ring_word(ring, ring->p.cq_off.tail);
	return syscall(SYS_io_uring_enter, ring->fd, 3, 0, 0, NULL, 0) == 3 ? 0 : -1;
}

/* Until it is killed, or its parent ends. */
static pid_t start_competitor(void)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		;
}

/* From now on, each tick of this thread has a CPU timer that is over. */
static void start_cpu_timer(void)
{
	const struct itimerval timer = {
		.it_value = { .tv_usec = 1 }, .it_interval = { .tv_usec = 1 },
	};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGPROF);
	sigprocmask(SIG_BLOCK, &set, NULL);
	setitimer(ITIMER_PROF, &timer, NULL);
}

/* One VM that is closed while it runs. */
static int run_and_close(struct ring *ring, long ns)
{
	struct vm vm;
	int vcpu, err;

	if (vm_make(&vm))
		return 1;
	vm_spin(&vm);
	/* A mapping is a reference, too. */
	munmap(vm.run, 4096);
	vm.run = NULL;
	vcpu = vm.vcpu_fd;
	if (close_soon(ring, ns, vcpu, vm.fd))
		return 2;
	/* -EINTR for the host's own reasons: again, until there is no such descriptor. */
	do {
		err = ioctl(vcpu, LGUEST_RUN, 0) < 0 ? errno : 0;
	} while (err == EINTR);
	vm.vcpu_fd = vm.fd = -1;
	vm_end(&vm);
	return err == EBADF ? 0 : 3;
}

static long seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* In a process of its own, with one thread. 0: nothing to be seen from here. */
int closes_while_it_runs(struct vm *unused)
{
	long end = seconds() + SECONDS;
	struct ring ring;
	unsigned int i;
	pid_t other;
	cpu_set_t cpus;
	int err = 0;

	(void)unused;
	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	if (ring_make(&ring))
		return 10;
	other = start_competitor();
	start_cpu_timer();
	for (i = 0; !err && seconds() < end; i++)
		err = run_and_close(&ring, 1000000 + i * 7919 % 1000000);
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
	tap_note("%u virtual CPUs closed while they ran", i);
	return err;
}
