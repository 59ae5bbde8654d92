/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guests in C: a test is one program, and some of its functions run in a guest.
 *
 * The guest has the program's image at the image's own addresses, in kernel mode: functions,
 * constants and static variables. The memory is the same, so a variable that the guest writes
 * is the one that the test reads (make it _Atomic or volatile). What the guest does not have:
 * the test's stack and heap, thread-local variables, and system calls; in a guest's kernel
 * SYSCALL is a hypercall. Guest functions call each other and what is declared for them below.
 *
 * Below the image lies the guest's own memory, with the page tables that vm.h draws:
 *
 *   Guest physical             Guest virtual
 *   0 - 4 MiB                  as in vm.h
 *   VM_SIZE - guest_end()      GUEST_IMAGE, where the image is, and the same from
 *                              GUEST_IMAGE_HIGH on: entries of the kernel must be in its half
 */
#ifndef _GUEST_H
#define _GUEST_H

#include "vm.h"

/* Where the Makefile has these programs linked. */
#define GUEST_IMAGE		0x40000000UL
#define GUEST_IMAGE_HIGH	0xffffffffc0000000UL

/* Guest physical, in what vm.h leaves free. */
#define GUEST_PD_IMAGE		0xa000
#define GUEST_DATA(nr)		((nr) ? 0x50000 + (nr) * 0x1000UL : VM_DATA)
#define GUEST_STACK_TOP(nr)	(0x64000 + (nr) * 0x4000UL)
#define GUEST_TABLES		0xa0000UL	/* page tables that guest_map() makes */
#define GUEST_TABLES_END	0x100000UL

#define GUEST_MAX_VCPUS		LGUEST_MAX_VCPUS
#define GUEST_LIMIT_MS		60000

/* Vectors: SDM volume 3, table 6-1 */
#define GUEST_UD	6
#define GUEST_GP	13
#define GUEST_PF	14

#ifndef __ASSEMBLER__
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct guest_exception {
	uint32_t vector;
	uint64_t error;		/* ~0 for a vector that has none */
	uint64_t cr2;
	uint64_t ip, sp, flags;
};

/* What guest_run() has come to. */
enum guest_what {
	GUEST_ERROR,		/* LGUEST_RUN has failed */
	GUEST_TOO_LONG,
	GUEST_EXIT,		/* an exit of another kind: vcpu->run says which */
	GUEST_AT_SYNC,		/* GUEST_SYNC */
	GUEST_BROKE,		/* GUEST_ASSERT */
	GUEST_FAULTED,		/* an exception that the guest's code has not caught */
	GUEST_IS_DONE,		/* the guest's function has returned */
};

struct guest_message {
	uint64_t magic;
	enum guest_what what;
	unsigned int line;
	const char *file, *text;	/* of GUEST_ASSERT; in the image: the test has them, too */
	uint64_t value[2];		/* GUEST_SYNC: the number; GUEST_ASSERT_EQ: both sides */
	struct guest_exception exception;
};

/* --- The guest's side: guest_code.c, guest_entry.S ------------------------------------- */

typedef void (*guest_code_t)(uint64_t argument);
typedef void (*guest_handler_t)(struct guest_exception *exception);

static inline int64_t guest_call(uint64_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	register uint64_t r10 asm("r10") = d;
	int64_t result;

	asm volatile("syscall" : "=a" (result) : "a" (nr), "D" (a), "S" (b), "d" (c), "r" (r10)
		     : "rcx", "r11", "memory");
	return result;
}

static inline uint64_t guest_read(uint64_t gva)
{
	return *(volatile uint64_t *)gva;
}

static inline void guest_write(uint64_t gva, uint64_t value)
{
	*(volatile uint64_t *)gva = value;
}

/* Report to the test, which goes on with guest_run(). */
#define GUEST_SYNC(number)	guest_sync(number)
/* The end of this guest, unless it holds. */
#define GUEST_ASSERT(holds)						\
	do {								\
		if (!(holds))						\
			guest_broke(__FILE__, __LINE__, #holds, 0, 0);	\
	} while (0)
/* The same for two numbers that are to be equal: the test says both. */
#define GUEST_ASSERT_EQ(a, b)						\
	do {								\
		uint64_t _a = (a), _b = (b);				\
									\
		if (_a != _b)						\
			guest_broke(__FILE__, __LINE__, #a " == " #b, _a, _b); \
	} while (0)
/* The same as to return from the guest's first function. */
#define GUEST_DONE()		guest_power_off()

void guest_sync(uint64_t number);
void guest_broke(const char *file, unsigned int line, const char *text, uint64_t a, uint64_t b)
	__attribute__((noreturn));
void guest_power_off(void) __attribute__((noreturn));
unsigned int guest_number(void);	/* of this vCPU */
struct lguest_data *guest_data(void);	/* what this vCPU shares with the host */

/* Call code(argument). NULL, or the exception that ended it. */
const struct guest_exception *guest_try(guest_code_t code, uint64_t argument);
/*
 * All other events of this vCPU, with interrupts off. The handler may change .ip; it returns
 * there. NULL: none, an event ends the guest.
 */
void guest_handle(guest_handler_t handler);

/* The entry for @gva in a table that guest_map() or vm.h has made; NULL: no such table. */
uint64_t *guest_entry(uint64_t gva);
void guest_flush(uint64_t start, uint64_t end);		/* this vCPU */
void guest_flush_others(uint64_t start, uint64_t end);	/* all but this vCPU */
/* LHCALL_INIT and LHCALL_REGISTER: for code that guest_start_bare() has started. */
void guest_ready(void);

/* --- The test's side: guest.c ----------------------------------------------------------- */

struct guest;

struct guest_vcpu {
	struct guest *guest;
	unsigned int nr;
	int fd;
	struct lguest_run *run;
	unsigned int limit_ms;		/* of guest_run(); 0: none */
	struct guest_message said;	/* what guest_run() has come to */
	pthread_t thread;
};

/* One at a time in a program: its memory has to lie below the image. */
struct guest {
	struct vm vm;			/* .vcpu_fd and .run are vCPU 0's */
	unsigned int vcpus;
	struct guest_vcpu vcpu[GUEST_MAX_VCPUS];
	uint64_t next_table;
};

/* All of them return whether it was done, and say why not (tap.h). */
bool guest_make(struct guest *guest, unsigned int vcpus);
/* The same with Xen's ABI: for code that guest_start_bare() starts and that reports by itself. */
bool guest_make_xen(struct guest *guest, unsigned int vcpus);
void guest_end(struct guest *guest);	/* also if there is none */
uint64_t guest_end_of_memory(void);	/* guest physical: behind the image */
/* @size bytes more, aligned as large pages are; before the first guest_run(). NULL: none. */
uint8_t *guest_memory(struct guest *guest, uint64_t gpa, size_t size);
/* A page of 4 KiB, or of 2 MiB if @flags has PTE_LARGE. */
bool guest_map(struct guest *guest, uint64_t gva, uint64_t gpa, uint64_t flags);
bool guest_unmap(struct guest *guest, uint64_t gva);
uint64_t *guest_walk(struct guest *guest, uint64_t gva);	/* as guest_entry() */

bool guest_start(struct guest_vcpu *vcpu, guest_code_t code, uint64_t argument);
bool guest_start_bare(struct guest_vcpu *vcpu, guest_code_t code, uint64_t argument);
enum guest_what guest_run(struct guest_vcpu *vcpu);	/* to the next of them */
void guest_note(const struct guest_vcpu *vcpu);		/* what it was, for a person */
bool guest_syncs(struct guest_vcpu *vcpu, uint64_t number);	/* GUEST_SYNC(number) comes next */
bool guest_finishes(struct guest_vcpu *vcpu);		/* it is done, whatever it reports before */
/* In a thread: guest_finishes(). */
bool guest_go(struct guest_vcpu *vcpu);
bool guest_wait(struct guest_vcpu *vcpu);		/* has it? */
void guest_stop(struct guest_vcpu *vcpu);		/* it need not */
/* guest_go() for all vCPUs, and guest_wait(). */
bool guest_all_finish(struct guest *guest);
#endif /* !__ASSEMBLER__ */
#endif /* _GUEST_H */
