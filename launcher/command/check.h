/* SPDX-License-Identifier: GPL-2.0-only */
/* Whether this host can run guests. */
#ifndef _LAUNCHER_HOST_CHECK_H
#define _LAUNCHER_HOST_CHECK_H

#include <stdbool.h>

int check_host(const char *root, bool json);

#endif /* _LAUNCHER_HOST_CHECK_H */
