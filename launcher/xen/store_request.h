/* SPDX-License-Identifier: GPL-2.0-only */
/* A request to Xen's store. */
#ifndef _LAUNCHER_XEN_STORE_REQUEST_H
#define _LAUNCHER_XEN_STORE_REQUEST_H

#include <stdbool.h>

struct xen_store;

bool xen_store_request(struct xen_store *store, char *changed);
void xen_store_fire(struct xen_store *store, const char *path, bool removed);

#endif /* _LAUNCHER_XEN_STORE_REQUEST_H */
