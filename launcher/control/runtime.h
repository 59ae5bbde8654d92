/* SPDX-License-Identifier: GPL-2.0-only */
/* The directory with the sockets of this user's running guests, NAME.sock each. */
#ifndef _LAUNCHER_RUNTIME_H
#define _LAUNCHER_RUNTIME_H

#include <stdbool.h>
#include <sys/types.h>

#define RUNTIME_NAME_MAX	64	/* with the NUL */

struct runtime {
	int fd;		/* of the directory, locked while this is open */
	char path[96];
};

int runtime_check_name(const char *name);
int runtime_open(struct runtime *runtime, bool create);
void runtime_close(struct runtime *runtime);
int runtime_listen(struct runtime *runtime, const char *name);
int runtime_connect(struct runtime *runtime, const char *name, pid_t *pid);
int runtime_names(struct runtime *runtime, char ***names);
void runtime_free_names(char **names, int count);
void runtime_unlock(const struct runtime *runtime);
void runtime_remove(const struct runtime *runtime, const char *name);

#endif /* _LAUNCHER_RUNTIME_H */
