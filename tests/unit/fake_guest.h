/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A machine of one CPU, for tests of the launcher. The guest is a function in its own
 * thread, which stops at each exit.
 */
#ifndef _FAKE_GUEST_H
#define _FAKE_GUEST_H

#include <stdint.h>

#include "boot/boot.h"
#include "lguest_abi.h"
#include "lguest_uapi.h"
#include "vm.h"

#define MIB	(1ULL << 20)

/* What the launcher told lg.ko about the machine. */
struct machine {
	int run_error;			/* errno of LGUEST_RUN, if the test wants one */
	struct lguest_memory memory[2];
	int memories;
	struct lguest_regs regs;
	struct lguest_run *run;
	struct lguest_irqfd irqfd[4];
	int irqfds;
	struct lguest_ioeventfd ioeventfd[8];
	int ioeventfds;
};
extern struct machine machine;
extern struct vm vm;
extern const struct boot_entry entry;

void guest_exit(uint32_t reason);
uint64_t guest_read(uint64_t gpa);
void guest_write(uint64_t gpa, uint32_t value);
void guest_print(const char *text);
void guest_shutdown(uint32_t reason, const char *text);
void guest_poweroff(void);
int start(void (*guest)(void), uint64_t size);
void good_start(void (*guest)(void));

#endif /* _FAKE_GUEST_H */
