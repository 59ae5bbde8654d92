// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stopping a Guest for a while: its virtual CPUs' threads come out of LGUEST_RUN and
 * wait here, and the Host stops its clock. Its devices finish what they have begun.
 */
#include <errno.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <time.h>

#include "base/compiler.h"
#include "pause.h"
#include "vm.h"

/* A thread may be in a write to a terminal that somebody stopped by Ctrl-S. */
#define PATIENCE_S	10

/**
 * pause_init() - nobody is to be stopped
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
 * pause_here() - a virtual CPU's thread waits while its Guest is to stand still
 * @vcpu: the calling thread's
 *
 * Returns at once if it is not, or if the Guest ends.
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
	/* Whoever ends the Guest sets a flag first, and then this again. */
	WRITE_ONCE(vcpu->run->immediate_exit, 0);
	atomic_thread_fence(memory_order_seq_cst);
	pthread_mutex_unlock(&pause->lock);
}

/**
 * pause_wake() - the Guest ends: nobody has to wait any more
 * @vm: with a flag set that says so
 */
void pause_wake(struct vm *vm)
{
	pthread_mutex_lock(&vm->pause.lock);
	pthread_cond_broadcast(&vm->pause.changed);
	pthread_mutex_unlock(&vm->pause.lock);
}

/* Until all of them wait, under the lock. Return: 0 or a negative errno. */
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
 * pause_guest() - stop the Guest and its time
 * @vm: runs; the caller is no thread of a virtual CPU of its
 *
 * Return: 0; -EALREADY; -ESRCH: the Guest ends; -ETIMEDOUT: a thread has other things
 * to do; or what the Host says.
 */
int pause_guest(struct vm *vm)
{
	struct pause *pause = &vm->pause;
	unsigned int i;
	int error;

	pthread_mutex_lock(&pause->lock);
	/* While we hold the lock, no thread that is to be stopped is joined. */
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
 * pause_end() - let a Guest go on that pause_guest() stopped
 * @vm: the VM
 *
 * Return: 0; -EALREADY: it is not stopped; or what the Host says.
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
