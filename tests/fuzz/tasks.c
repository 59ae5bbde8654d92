// SPDX-License-Identifier: GPL-2.0-only
/* The launcher's threads, one at a time and always in the same order. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

#include "input.h"
#include "tasks.h"
#include "wrapped.h"

#define STACK_SIZE	(1UL << 20)
#define LAST_FRAMES	4096
#define MOST_TASKS	64
#define NEVER		INT64_MAX
/* After so many turns in which all tasks did nothing but look, all tasks wait. */
#define TURNS		3

struct task {
	void *stack_pointer;	/* while another task runs */
	void *stack;		/* kept for the next task in this place */
	void *fake_stack;	/* the address sanitizer's */
	void *(*run)(void *argument);
	void *argument;
	bool alive;
	int64_t until;		/* ms: when its wait ends at the latest */
};

static struct task tasks[MOST_TASKS], root, *current = &root;
static unsigned int count;
static const void *root_stack;
static size_t root_size;
static int64_t clock_us;
static uint64_t random_state;
/* Grows whenever a task does more than to look whether its wait is over. */
static uint64_t progress;
/* Grows with each signal of a condition. */
static uint64_t signals;

void tasks_begin(uint32_t seed)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		require(!tasks[i].alive);
	count = 0;
	clock_us = 1000000000;
	random_state = seed;
}

/*
 * Switch from one stack to another, with the registers that a function must keep. The
 * sanitizer's own swapcontext() would clear all its marks of a stack, which takes too long.
 */
void switch_stacks(void **from, void *to);
__asm__(".text\n"
	"switch_stacks:\n"
	"	push	%rbp\n"
	"	push	%rbx\n"
	"	push	%r12\n"
	"	push	%r13\n"
	"	push	%r14\n"
	"	push	%r15\n"
	"	mov	%rsp, (%rdi)\n"
	"	mov	%rsi, %rsp\n"
	"	pop	%r15\n"
	"	pop	%r14\n"
	"	pop	%r13\n"
	"	pop	%r12\n"
	"	pop	%rbx\n"
	"	pop	%rbp\n"
	"	ret\n");

static void switch_to(struct task *next, bool for_good)
{
	struct task *before = current;

	__sanitizer_start_switch_fiber(for_good ? NULL : &before->fake_stack,
				       next == &root ? root_stack : next->stack,
				       next == &root ? root_size : STACK_SIZE);
	current = next;
	switch_stacks(&before->stack_pointer, next->stack_pointer);
	__sanitizer_finish_switch_fiber(before->fake_stack, NULL, NULL);
}

static void run_task(void)
{
	__sanitizer_finish_switch_fiber(NULL, &root_stack, &root_size);
	current->run(current->argument);
	current->alive = false;
	progress++;
	switch_to(&root, true);
}

void tasks_start(void *(*run)(void *argument), void *argument)
{
	struct task *task = &tasks[count++];
	void **first;

	require(count <= MOST_TASKS);
	if (!task->stack)
		task->stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	/* The last task on this stack ended in run_task(): remove the sanitizer's marks of that. */
	__asan_unpoison_memory_region((char *)task->stack + STACK_SIZE - LAST_FRAMES, LAST_FRAMES);
	/* Six registers and a return address. Before a call the stack is aligned to 16. */
	first = (void **)((char *)task->stack + STACK_SIZE - 16);
	*--first = run_task;
	first -= 6;
	memset(first, 0, 6 * sizeof(*first));
	task->stack_pointer = first;
	task->run = run;
	task->argument = argument;
	task->alive = true;
	task->until = 0;
	progress++;
}

/* Give each task one turn; only the root calls this. */
static void turn(void)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		if (tasks[i].alive)
			switch_to(&tasks[i], false);
}

/* Return: the next time at which some task's wait ends; NEVER if there is none. */
static int64_t next_moment(void)
{
	int64_t next = current == &root ? root.until : NEVER;
	unsigned int i;

	for (i = 0; i < count; i++)
		if (tasks[i].alive && tasks[i].until < next)
			next = tasks[i].until;
	return next;
}

/* Run all tasks until none does anything more. */
static void run_all(void)
{
	unsigned int idle;
	uint64_t before;

	for (idle = 0; idle < TURNS; idle++) {
		before = progress;
		turn();
		if (progress != before)
			idle = 0;
	}
}

static int64_t now(void)
{
	return clock_us / 1000;
}

/* The root waits for the tasks, or for a time. */
static void root_waits(int64_t until)
{
	uint64_t before = progress;
	int64_t next;

	turn();
	if (progress != before)
		return;
	root.until = until;
	next = next_moment();
	if (next == NEVER) {
		fprintf(stderr, "everybody waits, for ever\n");
		abort();
	}
	if (next > now())
		clock_us = next * 1000;
}

/* The calling task has to wait: let others run, and look again at its next turn. */
static void wait_a_turn(int64_t until)
{
	if (current == &root) {
		root_waits(until);
		return;
	}
	current->until = until;
	switch_to(&root, false);
}

void tasks_yield(void)
{
	progress++;
	if (current != &root)
		wait_a_turn(0);
}

static bool any_alive(void)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		if (tasks[i].alive)
			return true;
	return false;
}

bool tasks_settle(void)
{
	run_all();
	return any_alive();
}

void tasks_until(bool (*condition)(void))
{
	while (!condition())
		root_waits(NEVER);
}

/* At a lock: with inputs that begin with an odd byte, one time in eight let another task run. */
static void maybe_yield(void)
{
	if (!(random_state & 1) || current == &root)
		return;
	random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	random_state |= 1;
	if (!(random_state >> 61))
		tasks_yield();
}

/* --- What the launcher calls instead of the system's functions. ----------------- */

int __wrap_thread_start(struct thread *thread, void *(*run)(void *), void *argument)
{
	thread->id = count + 1;
	thread->started = true;
	tasks_start(run, argument);
	return 0;
}

void __wrap_thread_join(struct thread *thread)
{
	while (thread->started && tasks[thread->id - 1].alive)
		wait_a_turn(NEVER);
	thread->started = false;
}

int __wrap_pthread_mutex_lock(pthread_mutex_t *lock)
{
	maybe_yield();
	while (pthread_mutex_trylock(lock))
		wait_a_turn(NEVER);
	return 0;
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t *lock)
{
	int error = __real_pthread_mutex_unlock(lock);

	progress++;
	maybe_yield();
	return error;
}

int __wrap_pthread_cond_signal(pthread_cond_t *condition)
{
	(void)condition;
	signals++;
	return 0;
}

int __wrap_pthread_cond_broadcast(pthread_cond_t *condition)
{
	(void)condition;
	signals++;
	return 0;
}

static int wait_for_signal(pthread_mutex_t *lock, int64_t until)
{
	uint64_t before = signals;

	__real_pthread_mutex_unlock(lock);
	while (signals == before && now() < until)
		wait_a_turn(until);
	while (pthread_mutex_trylock(lock))
		wait_a_turn(NEVER);
	return signals == before ? ETIMEDOUT : 0;
}

int __wrap_pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *lock)
{
	(void)condition;
	return wait_for_signal(lock, NEVER);
}

static int64_t moment(const struct timespec *time)
{
	return time->tv_sec * 1000 + time->tv_nsec / 1000000 + 1;
}

int __wrap_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *lock,
				  const struct timespec *until)
{
	(void)condition;
	return wait_for_signal(lock, moment(until));
}

int __wrap_pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *lock,
				  clockid_t clock, const struct timespec *until)
{
	(void)condition;
	(void)clock;
	return wait_for_signal(lock, moment(until));
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
	(void)clock;
	clock_us += 10;		/* to look at the clock takes time */
	time->tv_sec = clock_us / 1000000;
	time->tv_nsec = clock_us % 1000000 * 1000;
	return 0;
}

int __wrap_usleep(useconds_t time)
{
	int64_t until = now() + time / 1000 + 1;

	while (now() < until)
		wait_a_turn(until);
	return 0;
}

int __wrap_poll(struct pollfd *fd, nfds_t fds, int timeout)
{
	int64_t until = timeout < 0 ? NEVER : now() + timeout;
	int ready;

	for (;;) {
		ready = __real_poll(fd, fds, 0);
		if (ready || now() >= until)
			break;
		wait_a_turn(until);
	}
	progress += ready != 0;
	return ready;
}

/* Return: how long a reader of this descriptor may wait, by SO_RCVTIMEO. */
static int64_t patience(int fd)
{
	struct timeval time = { 0 };
	socklen_t size = sizeof(time);

	getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, &size);
	return time.tv_sec || time.tv_usec ?
	       now() + time.tv_sec * 1000 + time.tv_usec / 1000 : NEVER;
}

ssize_t __wrap_recv(int fd, void *to, size_t size, int flags)
{
	int64_t until = patience(fd);
	size_t have = 0;
	ssize_t got;

	while (have < size) {
		got = __real_recv(fd, (char *)to + have, size - have, flags | MSG_DONTWAIT);
		progress += got > 0;
		if (got > 0)
			have += got;
		if (!got || (got < 0 && errno != EAGAIN))
			return have || !got ? (ssize_t)have : -1;
		if (have && !(flags & MSG_WAITALL))
			break;
		if (got > 0)
			continue;
		if ((flags & MSG_DONTWAIT) || now() >= until)
			return have ? (ssize_t)have : -1;
		wait_a_turn(until);
	}
	return have;
}
