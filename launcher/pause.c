// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stopping a guest for a while: the threads of its virtual CPUs come out of LGUEST_RUN and wait
 * here, and the host stops its clock. Its devices finish what they have begun.
 */
#include <errno.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <time.h>

#include "base/compiler.h"
#include "pause.h"
#include "vm.h"

/* A thread may be writing to a terminal that somebody has stopped by Ctrl-S. */
#define PATIENCE_S	10

/**
 * pause_init() - be ready; no virtual CPU is stopped yet
 * @pause: filled in
 */
void pause_init(struct pause *pause)
{
	pthread_condattr_t attributes;

	pthread_mutex_init(&pause->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&pause->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	pause->wanted = false;
	pause->waiting = 0;
}

static bool is_ending(struct vm *vm)
{
	return vm->leaving || vm->stopping;
}

/**
 * pause_here() - wait as long as the guest is paused
 * @vcpu: its thread is the caller
 *
 * Returns at once if the guest is not paused, or if it ends.
 */
void pause_here(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	struct pause *pause = &vm->pause;

	if (!pause->wanted && !READ_ONCE(vcpu->run->immediate_exit))
		return;
	pthread_mutex_lock(&pause->lock);
	pause->waiting++;
	pthread_cond_broadcast(&pause->changed);
	while (pause->wanted && !is_ending(vm))
		pthread_cond_wait(&pause->changed, &pause->lock);
	pause->waiting--;
	/* A thread that ends the guest sets a flag first, and then immediate_exit again. */
	WRITE_ONCE(vcpu->run->immediate_exit, 0);
	atomic_thread_fence(memory_order_seq_cst);
	pthread_mutex_unlock(&pause->lock);
}

/**
 * pause_wake() - let all virtual CPUs go on, since the guest ends
 * @vm: its leaving or stopping is set
 */
void pause_wake(struct vm *vm)
{
	pthread_mutex_lock(&vm->pause.lock);
	pthread_cond_broadcast(&vm->pause.changed);
	pthread_mutex_unlock(&vm->pause.lock);
}

/* Wait, under the lock, until all virtual CPUs wait. Return: 0 or a negative errno. */
static int wait_for_all(struct vm *vm)
{
	struct pause *pause = &vm->pause;
	struct timespec until;
	int error = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += PATIENCE_S;
	while (!error && pause->waiting < vm->vcpus && !is_ending(vm))
		error = pthread_cond_timedwait(&pause->changed, &pause->lock, &until);
	return is_ending(vm) ? -ESRCH : -error;
}

static void release(struct pause *pause)
{
	pause->wanted = false;
	pthread_cond_broadcast(&pause->changed);
}

/**
 * pause_guest() - stop the guest and its time
 * @vm: runs; the caller is not the thread of one of its virtual CPUs
 *
 * Return: 0; -EALREADY; -ESRCH: the guest ends; -ETIMEDOUT: a thread is busy elsewhere; or
 * the host's error.
 */
int pause_guest(struct vm *vm)
{
	struct pause *pause = &vm->pause;
	unsigned int i;
	int error;

	pthread_mutex_lock(&pause->lock);
	/* Under this lock, no thread that is to be stopped can be joined. */
	error = is_ending(vm) ? -ESRCH : pause->wanted ? -EALREADY : 0;
	if (error)
		goto unlock;
	pause->wanted = true;
	for (i = 0; i < vm->vcpus; i++) {
		WRITE_ONCE(vm->vcpu[i].run->immediate_exit, 1);
		pthread_kill(vm->vcpu[i].thread.id, SIGUSR1);
	}
	error = wait_for_all(vm);
	if (!error && ioctl(vm->fd, LGUEST_PAUSE, 1UL) < 0)
		error = -errno;
	if (error)
		release(pause);
unlock:
	pthread_mutex_unlock(&pause->lock);
	return error;
}

/**
 * pause_end() - let a guest go on after pause_guest()
 * @vm: the VM
 *
 * Return: 0; -EALREADY: it is not paused; or the host's error.
 */
int pause_end(struct vm *vm)
{
	struct pause *pause = &vm->pause;
	int error = 0;

	pthread_mutex_lock(&pause->lock);
	if (!pause->wanted)
		error = -EALREADY;
	else if (ioctl(vm->fd, LGUEST_PAUSE, 0UL) < 0)
		error = -errno;
	if (!error)
		release(pause);
	pthread_mutex_unlock(&pause->lock);
	return error;
}
