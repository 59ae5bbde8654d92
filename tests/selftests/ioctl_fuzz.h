/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _IOCTL_FUZZ_H
#define _IOCTL_FUZZ_H

/* ioctl_random.c */
int random_calls(unsigned int seed, unsigned int calls);

#endif /* _IOCTL_FUZZ_H */
