/* SPDX-License-Identifier: GPL-2.0-only */
/* How the Guest starts, as it follows from the person's wishes. */
#ifndef _LAUNCHER_BOOT_PLAN_H
#define _LAUNCHER_BOOT_PLAN_H

struct options;

const char *boot_plan_initrd(struct options *options);
char *boot_plan_command_line(const struct options *options, const char *devices);

#endif /* _LAUNCHER_BOOT_PLAN_H */
