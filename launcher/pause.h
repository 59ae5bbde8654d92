/* SPDX-License-Identifier: GPL-2.0-only */
/* Stopping a guest for a while: all its virtual CPUs, and its time. */
#ifndef _LAUNCHER_PAUSE_H
#define _LAUNCHER_PAUSE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct vcpu;
struct vm;

struct pause {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	atomic_bool wanted;	/* written under lock */
	unsigned int waiting;	/* virtual CPUs' threads in pause_here(); under lock */
};

void pause_init(struct pause *pause);
int pause_guest(struct vm *vm);
int pause_end(struct vm *vm);
void pause_here(struct vcpu *vcpu);
void pause_wake(struct vm *vm);

#endif /* _LAUNCHER_PAUSE_H */
