// SPDX-License-Identifier: GPL-2.0-only
/* ioctl_fuzz's random calls. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "ioctl_fuzz.h"
#include "vm.h"

struct fuzz {
	struct vm *vm;
	unsigned int seed, calls;
};

static uint64_t fuzz_value(unsigned int *seed, const struct vm *vm)
{
	static const uint64_t values[] = {
		0, 1, 2, 15, 16, 63, 64, 4095, 4096, 8192, 0x10000, VM_CODE, VM_PML4,
		LGUEST_HOLE_START, LGUEST_HOLE_END, 1ULL << 44, 1ULL << 47, 1ULL << 63,
		0xffffffff80010000, 0xffff800000000000, -4096ULL, -1ULL, 0x7fffffffffff,
	};
	unsigned int which = rand_r(seed) % 32;

	if (which < sizeof(values) / sizeof(values[0]))
		return values[which];
	if (which < 26)
		return (uintptr_t)vm->memory + (rand_r(seed) % VM_SIZE & ~4095);
	return (uint64_t)rand_r(seed) << 32 ^ rand_r(seed);
}

static void *fuzz(void *argument)
{
	static const unsigned long commands[] = {
		LGUEST_GET_INFO, LGUEST_SET_MEMORY, LGUEST_CREATE_VCPU, LGUEST_IRQFD,
		LGUEST_IOEVENTFD, LGUEST_IRQ_LINE, LGUEST_GET_REGS, LGUEST_SET_REGS,
		LGUEST_SET_REGS, LGUEST_GET_STATS, LGUEST_RUN, LGUEST_RUN,
		LGUEST_CREATE_VM,
	};
	struct fuzz *f = argument;
	union {
		uint64_t words[256];
		struct lguest_regs regs;
	} args;
	unsigned int i, j;

	for (i = 0; i < f->calls; i++) {
		int fd = rand_r(&f->seed) % 2 ? f->vm->fd : f->vm->vcpu_fd;
		unsigned long command = commands[rand_r(&f->seed) %
						 (sizeof(commands) / sizeof(commands[0]))];
		long ret;

		for (j = 0; j < 32; j++)
			args.words[j] = fuzz_value(&f->seed, f->vm);
		/* Often enough what gets past the first check. */
		if (command == LGUEST_SET_REGS && rand_r(&f->seed) % 2)
			args.regs.kernel_mode = 1;
		if (command == LGUEST_SET_REGS && rand_r(&f->seed) % 2)
			args.regs.reserved = 0;
		if (command == LGUEST_IRQFD || command == LGUEST_IOEVENTFD)
			args.words[1] &= 0xff;
		f->vm->run->immediate_exit = command == LGUEST_RUN && rand_r(&f->seed) % 4 == 0;
		for (j = 0; j < 64; j++)
			f->vm->memory[VM_CODE + rand_r(&f->seed) % 4096] = rand_r(&f->seed);
		ret = ioctl(fd, command,
			    command == LGUEST_CREATE_VCPU || command == LGUEST_IRQ_LINE ||
			    rand_r(&f->seed) % 16 == 0 ? (void *)fuzz_value(&f->seed, f->vm) : &args);
		if ((command == LGUEST_CREATE_VCPU || command == LGUEST_CREATE_VM) && ret >= 0)
			close(ret);
	}
	return NULL;
}

static void on_alarm(int signal)
{
	(void)signal;
}

/*
 * A guest may run for ever, with the other thread waiting for its vCPU: so each has
 * its own signals.
 */
static void wake_until_done(const pthread_t *threads, unsigned int count)
{
	bool done[2] = { false, false };
	unsigned int i, left = count;

	while (left) {
		usleep(5000);
		for (i = 0; i < count; i++) {
			if (done[i])
				continue;
			done[i] = !pthread_tryjoin_np(threads[i], NULL);
			left -= done[i];
			if (!done[i])
				pthread_kill(threads[i], SIGALRM);
		}
	}
}

/* That many random calls. Return: 0, or -errno if there is no VM to make them on. */
int random_calls(unsigned int seed, unsigned int calls)
{
	struct sigaction action = { .sa_handler = on_alarm };
	unsigned int done;

	sigaction(SIGALRM, &action, NULL);
	/* A killed VM stays killed: so a new one now and then. */
	for (done = 0; done < calls; done += 40) {
		struct fuzz f[2];
		pthread_t threads[2];
		struct vm vm;
		int err = vm_make(&vm);

		if (err)
			return err;
		vm_spin(&vm);
		f[0] = (struct fuzz){ .vm = &vm, .seed = seed + done, .calls = 20 };
		f[1] = (struct fuzz){ .vm = &vm, .seed = seed + done + 1, .calls = 20 };
		pthread_create(&threads[0], NULL, fuzz, &f[0]);
		pthread_create(&threads[1], NULL, fuzz, &f[1]);
		wake_until_done(threads, 2);
		vm_end(&vm);
	}
	return 0;
}
