// SPDX-License-Identifier: GPL-2.0-only
/*
 * hypercall: the ticks of a hypercall that does nothing: of leaving the guest for lg.ko's C
 * code, and entering the guest again. A guest of a few instructions (hypercall_code.S)
 * measures it. Prints "result hypercall TICKS COUNT" like bench, for the best of some guests.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "vm.h"

#define ROUNDS	5

extern const char guest_code[], guest_code_end[];
extern const uint32_t guest_count;

/* Run one guest. Return: its ticks; 0: it did not reach its end. */
static uint64_t one_guest(void)
{
	uint64_t ticks = 0;
	struct vm vm;

	if (vm_make(&vm))
		return 0;
	*(struct lguest_init *)vm_word(&vm, VM_INIT) = (struct lguest_init) {
		.abi_version = LGUEST_ABI_VERSION,
		.event_entry = VM_KERNEL + VM_EVENT,
		.syscall_entry = VM_KERNEL + VM_SYSCALL,
		.kernel_address = 0xffff800000000000,
	};
	memset(((struct lguest_data *)vm_word(&vm, VM_DATA))->hcall_status, LGUEST_RING_DONE,
	       LGUEST_RING_SLOTS);
	memcpy(vm_word(&vm, VM_CODE), guest_code, guest_code_end - guest_code);
	if (!vm_start_at(&vm, VM_KERNEL + VM_CODE) && !vm_run(&vm, 20000) &&
	    vm.run->exit_reason == LGUEST_EXIT_SHUTDOWN)
		ticks = *vm_word(&vm, VM_TABLE);
	vm_end(&vm);
	return ticks;
}

int main(void)
{
	uint64_t best = 0;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		uint64_t ticks = one_guest();

		if (ticks && (!best || ticks < best))
			best = ticks;
	}
	if (best)
		printf("result hypercall %llu %u\n", (unsigned long long)best, guest_count);
	else
		printf("failed hypercall no guest ran to its end\n");
	return 0;
}
