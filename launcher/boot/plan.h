/* SPDX-License-Identifier: GPL-2.0-only */
/* From the person's options to the guest's start. */
#ifndef _LAUNCHER_BOOT_PLAN_H
#define _LAUNCHER_BOOT_PLAN_H

struct boot_request;
struct options;

int boot_plan_open(const struct options *options, struct boot_request *request);
int boot_plan_abi(const struct options *options, struct boot_request *request);
void boot_plan_close(struct boot_request *request);
char *boot_plan_command_line(const struct options *options, const char *devices);

#endif /* _LAUNCHER_BOOT_PLAN_H */
