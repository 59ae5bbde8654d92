/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _IOCTL_FUZZ_H
#define _IOCTL_FUZZ_H

struct vm;

/* ioctl_closes.c */
int closes_while_it_runs(struct vm *unused);

/* ioctl_random.c */
int random_calls(unsigned int seed, unsigned int calls);

#endif /* _IOCTL_FUZZ_H */
