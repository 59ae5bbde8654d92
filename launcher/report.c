// SPDX-License-Identifier: GPL-2.0-only
/* What the person is told when a guest has crashed. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/compiler.h"
#include "lguest_abi.h"
#include "memory.h"
#include "base/message.h"
#include "terminal/recent.h"
#include "report.h"
#include "terminal/terminal.h"
#include "vm.h"

#define LAST_LINES	20
#define CODE_BYTES	16
#define STACK_WORDS	12

#define PTE_PRESENT	0x001ULL
#define PTE_PAGE_SIZE	0x080ULL
#define PTE_ADDRESS	0x000ffffffffff000ULL

/*
 * From a guest virtual address to a pointer, by a walk through the guest's own page tables (SDM
 * volume 3, 4.5); NULL unless @size bytes lie there within one page.
 */
static const void *guest_virtual(const struct guest_memory *memory, uint64_t cr3, uint64_t gva,
				 unsigned int size)
{
	uint64_t table = cr3 & PTE_ADDRESS, page_mask = 0;
	int level;

	for (level = 4; level > 0; level--) {
		int shift = 12 + 9 * (level - 1);
		const uint64_t *entry = guest_range(memory, table + (gva >> shift & 511) * 8, 8);

		if (!entry || !(*entry & PTE_PRESENT))
			return NULL;
		page_mask = (1ULL << shift) - 1;
		table = *entry & PTE_ADDRESS;
		if ((level == 3 || level == 2) && (*entry & PTE_PAGE_SIZE))
			break;
	}
	if (gva % PAGE_SIZE + size > PAGE_SIZE)
		return NULL;
	return guest_range(memory, (table & ~page_mask) | (gva & page_mask), size);
}

static void print_code(const struct vm *vm, const struct lguest_regs *regs)
{
	const uint8_t *code = guest_virtual(&vm->memory, regs->cr3, regs->rip, CODE_BYTES);
	char text[3 * CODE_BYTES + 1];
	int i;

	for (i = 0; code && i < CODE_BYTES; i++)
		sprintf(text + 3 * i, " %02x", code[i]);
	message("  code at rip:%s", code ? text : " not there to be read");
}

static void print_stack(const struct vm *vm, const struct lguest_regs *regs)
{
	int i;

	for (i = 0; i < STACK_WORDS; i += 2) {
		const uint64_t *word = guest_virtual(&vm->memory, regs->cr3, regs->rsp + 8 * i, 16);

		if (!word)
			return;
		message("  stack %+4d: %016" PRIx64 " %016" PRIx64, 8 * i, word[0], word[1]);
	}
}

static void print_registers(struct vcpu *vcpu)
{
	const struct vm *vm = vcpu->vm;
	char where[32] = "";
	struct lguest_regs r;

	if (ioctl(vcpu->fd, LGUEST_GET_REGS, &r) < 0) {
		message("its registers can't be had");
		return;
	}
	if (vm->vcpus > 1)
		snprintf(where, sizeof(where), " on its CPU %u", vcpu->number);
	message("its registers%s, in %s:", where, r.kernel_mode ? "its kernel" : "its user space");
#define REGISTERS(a, b, c)						\
	message("  %-3s %016llx  %-3s %016llx  %-3s %016llx",	\
		#a, (unsigned long long)r.a, #b, (unsigned long long)r.b,	\
		#c, (unsigned long long)r.c)
	REGISTERS(rax, rbx, rcx);
	REGISTERS(rdx, rsi, rdi);
	REGISTERS(rbp, rsp, r8);
	REGISTERS(r9, r10, r11);
	REGISTERS(r12, r13, r14);
	REGISTERS(r15, cr2, cr3);
#undef REGISTERS
	message("  rip %016" PRIx64 "  rflags %08" PRIx64 "  cs %04" PRIx64 "  ss %04" PRIx64,
		(uint64_t)r.rip, (uint64_t)r.rflags, (uint64_t)r.cs, (uint64_t)r.ss);
	message("  fs  %016" PRIx64 "  gs  %016" PRIx64 "  user gs %016" PRIx64,
		(uint64_t)r.fs_base, (uint64_t)r.gs_base, (uint64_t)r.user_gs_base);
	print_code(vm, &r);
	print_stack(vm, &r);
}

/* The last lines of the console, unless the person's terminal has shown them. */
static void print_recent(void)
{
	char text[4096 + 1], *line, *rest = text;

	if (terminal_was_seen())
		return;
	text[recent_get(text, sizeof(text) - 1, LAST_LINES)] = '\0';
	if (!*text)
		return;
	message("the last lines of its console:");
	while ((line = strsep(&rest, "\n"))) {
		message_plain(line, strlen(line));
		message("  %s", line);
	}
}

/**
 * report_crash() - tell the person that the guest has crashed, with all there is to know
 * @vcpu: the virtual CPU that crashed; none runs any more, and the VM is complete
 * @what: what happened, in a few words
 * @reason: more of it, from the guest or lg.ko
 */
void report_crash(struct vcpu *vcpu, const char *what, const char *reason)
{
	char line[LGUEST_MESSAGE_MAX];
	size_t size;

	snprintf(line, sizeof(line), "%s", reason);
	message_plain(line, strlen(line));
	for (size = strlen(line); size && line[size - 1] == ' '; size--)
		line[size - 1] = '\0';
	print_recent();
	print_registers(vcpu);
	message("%s%s%s", what, size ? ": " : "", line);
}
