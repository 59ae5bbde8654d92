/* SPDX-License-Identifier: GPL-2.0-only */
/* GRUB's configuration, as grub-mkconfig writes it. */
#ifndef _LAUNCHER_GRUB_H
#define _LAUNCHER_GRUB_H

#include <stdbool.h>

struct bytes;
struct entry;

bool grub_read(struct bytes file, struct entry *entry);

#endif /* _LAUNCHER_GRUB_H */
