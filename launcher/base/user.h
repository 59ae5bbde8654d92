/* SPDX-License-Identifier: GPL-2.0-only */
/* The user who started lguest. */
#ifndef _LAUNCHER_USER_H
#define _LAUNCHER_USER_H

#include <stdbool.h>
#include <sys/types.h>

int user_who_called(uid_t *uid, gid_t *gid);
bool user_is_trusted(uid_t uid);

#endif /* _LAUNCHER_USER_H */
