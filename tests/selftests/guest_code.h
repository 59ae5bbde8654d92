/* SPDX-License-Identifier: GPL-2.0-only */
/* What guest.c and guest_code.c have in common beside guest.h. */
#ifndef _GUEST_CODE_H
#define _GUEST_CODE_H

#include "guest.h"

#define GUEST_MAGIC	0x7473657467756573ULL

/* What a vCPU's kernel GS base points to. */
struct guest_cpu {
	struct guest_cpu *self;
	unsigned int nr;
	struct lguest_data *data;
	guest_handler_t handler;
	uint64_t try_sp;		/* guest_try(): where to go back to; 0: not in it */
	struct guest_exception caught;
};

extern struct guest_cpu guest_cpus[GUEST_MAX_VCPUS];
extern const char guest_event_entry[], guest_try_caught[];

/* Where a guest starts: @code(@argument), and power off. */
void guest_begin(guest_code_t code, uint64_t argument);
void guest_begin_bare(guest_code_t code, uint64_t argument);
int guest_try_call(guest_code_t code, uint64_t argument, uint64_t *sp);
/* Of page tables that are seen at @memory. */
uint64_t *guest_entry_in(uint8_t *memory, uint64_t gva);

#endif /* _GUEST_CODE_H */
