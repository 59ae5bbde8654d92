// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "hostile_record.h"
#include "tap.h"

/* What the host writes into each struct lguest_data whenever it likes. */
static void forget_time(struct lguest_data *data)
{
	data->irq_pending = 0;	/* a timer has fired, or not yet */
	data->time_sec = 0;
	data->time_nsec = 0;
	data->steal_ns = 0;
	data->preempted = 0;
	memset(&data->clock, 0, sizeof(data->clock));
}

/*
 * A guest may have named many pages as its struct lguest_data, one after the other. All of
 * them have the factor by which the TSC becomes time, which is one for all of the host.
 */
static void without_time(uint64_t *memory)
{
	struct lguest_data *data = (struct lguest_data *)(memory + VM_DATA / 8);
	uint32_t mul = data->clock.tsc_to_system_mul, khz = data->tsc_khz;
	size_t gpa;

	for (gpa = 0; mul && gpa < VM_SIZE; gpa += LGUEST_DATA_SIZE) {
		data = (struct lguest_data *)(memory + gpa / 8);
		if (data->clock.tsc_to_system_mul == mul && data->tsc_khz == khz)
			forget_time(data);
	}
}

static int take_counts(struct record *record, struct vm *vm)
{
	struct lguest_stats stats;

	if (ioctl(vm->vcpu_fd, LGUEST_GET_STATS, &stats))
		return -errno;
	record->direct[DIRECT_SYSCALL] = stats.direct_syscalls;
	record->direct[DIRECT_EVENT] = stats.direct_events;
	record->direct[DIRECT_RETURN] = stats.direct_returns;
	record->direct[DIRECT_CR3_LOAD] = stats.direct_cr3_loads;
	return 0;
}

bool record_take(struct record *record, struct vm *vm)
{
	memset(record, 0, sizeof(*record));
	record->exit_reason = vm->run->exit_reason;
	switch (record->exit_reason) {
	case LGUEST_EXIT_SHUTDOWN:
		record->shutdown = vm->run->shutdown.reason;
		break;
	case LGUEST_EXIT_KILLED:
		memcpy(record->killed, vm->run->killed.reason, LGUEST_REASON_MAX);
		break;
	case LGUEST_EXIT_MMIO:
		record->mmio = vm->run->mmio.guest_phys;
		break;
	}
	memcpy(record->memory, vm->memory, VM_SIZE);
	without_time(record->memory);
	if (ioctl(vm->vcpu_fd, LGUEST_GET_REGS, &record->regs) || take_counts(record, vm)) {
		tap_note("no registers or counts: %s", strerror(errno));
		return false;
	}
	return true;
}

static bool same_words(const char *what, const uint64_t *a, const uint64_t *b, size_t words)
{
	bool same = true;
	size_t i, shown = 0;

	for (i = 0; i < words; i++) {
		if (a[i] == b[i])
			continue;
		same = false;
		if (shown++ < 8)
			tap_note("%s 0x%zx: 0x%llx by C, 0x%llx direct", what, i * 8,
				 (unsigned long long)a[i], (unsigned long long)b[i]);
	}
	return same;
}

bool record_same(const struct record *by_c, const struct record *direct)
{
	bool same = true;
	int way;

	for (way = 0; way < DIRECT_WAYS; way++) {
		if (by_c->direct[way]) {
			tap_note("not by C: %llu of way %d", (unsigned long long)by_c->direct[way], way);
			same = false;
		}
	}
	if (by_c->exit_reason != direct->exit_reason || by_c->shutdown != direct->shutdown ||
	    by_c->mmio != direct->mmio || strcmp(by_c->killed, direct->killed)) {
		tap_note("ends by C: %u %u 0x%llx %s", by_c->exit_reason, by_c->shutdown,
			 (unsigned long long)by_c->mmio, by_c->killed);
		tap_note("direct:    %u %u 0x%llx %s", direct->exit_reason, direct->shutdown,
			 (unsigned long long)direct->mmio, direct->killed);
		same = false;
	}
	same &= same_words("register at", (const uint64_t *)&by_c->regs,
			   (const uint64_t *)&direct->regs, sizeof(by_c->regs) / 8);
	same &= same_words("memory at", by_c->memory, direct->memory, VM_SIZE / 8);
	return same;
}

bool set_direct(bool on)
{
	FILE *file = fopen("/sys/module/lg/parameters/direct", "w");

	if (!file || fputs(on ? "1" : "0", file) < 0 || fclose(file)) {
		tap_note("the parameter direct cannot be set");
		return false;
	}
	return true;
}
