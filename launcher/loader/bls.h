/* SPDX-License-Identifier: GPL-2.0-only */
/* Entries as the Boot Loader Specification has them: a file for each. */
#ifndef _LAUNCHER_BLS_H
#define _LAUNCHER_BLS_H

#include <stdbool.h>

struct bytes;
struct entry;

bool bls_is_newer(const char *name, const char *than);
bool bls_read(struct bytes file, struct entry *entry);

#endif /* _LAUNCHER_BLS_H */
