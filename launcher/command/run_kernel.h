/* SPDX-License-Identifier: GPL-2.0-only */
/* Which kernel "lguest run" boots, if nobody says. */
#ifndef _LAUNCHER_RUN_KERNEL_H
#define _LAUNCHER_RUN_KERNEL_H

struct options;

char *run_kernel(struct options *options);

#endif /* _LAUNCHER_RUN_KERNEL_H */
