/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A server of files in its own process. Requests and replies lie in memory that it shares
 * with the device. A side that has nothing to do sleeps on the other side's counter.
 */
#ifndef _LAUNCHER_P9_RING_H
#define _LAUNCHER_P9_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "sandbox/process.h"
#include "p9/server.h"

/* Requests that can be under way at once. */
#define P9_SLOTS	4

/*
 * One request. The device fills it in and increments ring.asked; the server answers it and
 * increments ring.answered; then the device may use the slot again. Neither side trusts the
 * other: each reads a number once, and checks its bounds.
 */
struct p9_slot {
	uint32_t forget;	/* drop all fids first: a new client begins */
	uint32_t size;		/* of the request; 0: there is none */
	uint32_t room;		/* for the reply */
	uint32_t replied;	/* bytes of the reply; 0: the request was no message */
	uint8_t request[P9_MAX_MESSAGE];
	uint8_t reply[P9_MAX_MESSAGE];
};

struct p9_ring {
	atomic_uint asked, answered;	/* how many since the beginning, modulo 2^32; futexes */
	atomic_bool server_sleeps;	/* the server sleeps on asked */
	atomic_bool device_sleeps;	/* the device sleeps on answered, */
	atomic_bool device_polls;	/* or polls the eventfd */
	struct p9_slot slot[P9_SLOTS];	/* number n is in slot n % P9_SLOTS */
};

/* The device's side. */
struct p9_process {
	struct process process;
	struct p9_ring *ring;
	int replies;		/* eventfd */
	uint32_t asked;		/* our own copy of ring.asked, which the server can write */
	uint32_t done;		/* answers taken */
};

int p9_process_start(struct p9_process *process, const char *directory, bool read_only);
void p9_process_stop(struct p9_process *process);
struct p9_slot *p9_process_slot(struct p9_process *process);
void p9_process_ask(struct p9_process *process);
bool p9_process_wait(struct p9_process *process);
void p9_process_poll(struct p9_process *process, bool on);
bool p9_process_answer(struct p9_process *process, struct p9_slot **slot);

#endif /* _LAUNCHER_P9_RING_H */
