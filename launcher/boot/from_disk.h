/* SPDX-License-Identifier: GPL-2.0-only */
/* A guest that starts from what is on its own disk. */
#ifndef _LAUNCHER_FROM_DISK_H
#define _LAUNCHER_FROM_DISK_H

struct boot_request;
struct options;

int from_disk_open(const struct options *options, struct boot_request *request);
int from_disk_read(struct boot_request *request);
void from_disk_forget(struct boot_request *request);
void from_disk_close(struct boot_request *request);
char *from_disk_command_line(const struct options *options, const struct boot_request *request,
			     const char *devices);

#endif /* _LAUNCHER_FROM_DISK_H */
