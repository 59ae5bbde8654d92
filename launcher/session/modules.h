/* SPDX-License-Identifier: GPL-2.0-only */
/* The modules that a distribution's kernel needs to have the host's files. */
#ifndef _LAUNCHER_SESSION_MODULES_H
#define _LAUNCHER_SESSION_MODULES_H

#include <stdbool.h>

#define MODULES_RELEASE		128	/* bytes of a release, with its end: "6.12.117-amd64" */
#define MODULES_MOST		32

/* In the order of loading; the one of a number needs only those before. */
struct module_list {
	char release[MODULES_RELEASE];
	unsigned int count;
	char *path[MODULES_MOST];	/* malloc */
};

extern const char *modules_folder;	/* /lib/modules; tests have another one */

int modules_release(const char *kernel, char release[MODULES_RELEASE]);
bool modules_are_known(const char *release);
int modules_find(struct module_list *list, const char *release, bool network);
const char *modules_missing(const char *release);
void modules_forget(struct module_list *list);

#endif /* _LAUNCHER_SESSION_MODULES_H */
