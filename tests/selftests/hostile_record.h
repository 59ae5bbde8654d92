/* SPDX-License-Identifier: GPL-2.0-only */
/* What a guest has left when it ended, to be compared with the same guest's on another way. */
#ifndef _HOSTILE_RECORD_H
#define _HOSTILE_RECORD_H

#include <stdbool.h>
#include "vm.h"

enum { DIRECT_SYSCALL, DIRECT_EVENT, DIRECT_RETURN, DIRECT_CR3_LOAD, DIRECT_WAYS };

struct record {
	uint32_t exit_reason;
	uint32_t shutdown;
	uint64_t mmio;
	char killed[LGUEST_REASON_MAX];
	struct lguest_regs regs;
	uint64_t direct[DIRECT_WAYS];	/* how often the switcher did by itself what C can do, too */
	uint64_t memory[VM_SIZE / 8];	/* without what the clock has changed */
};

bool record_take(struct record *record, struct vm *vm);
bool record_same(const struct record *by_c, const struct record *direct);	/* says where not */
bool set_direct(bool on);	/* the module's parameter, for guests that register from now on */

#endif /* _HOSTILE_RECORD_H */
