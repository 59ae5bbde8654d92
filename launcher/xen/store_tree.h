/* SPDX-License-Identifier: GPL-2.0-only */
/* What is in Xen's store: values by path, no more of them than a guest may make. */
#ifndef _LAUNCHER_XEN_STORE_TREE_H
#define _LAUNCHER_XEN_STORE_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

#define XEN_STORE_NODES		1024
#define XEN_STORE_PATH		256	/* bytes of a path, with its end */
#define XEN_STORE_VALUE		1024	/* bytes of a value */

struct xen_store_node {
	char *path;		/* NULL: there is none here */
	struct bytes value;
};

struct xen_store_tree {
	struct xen_store_node node[XEN_STORE_NODES];
};

bool xen_path_is_good(const char *path);
bool xen_path_is_below(const char *path, const char *above);
const struct bytes *xen_tree_read(const struct xen_store_tree *tree, const char *path);
int xen_tree_write(struct xen_store_tree *tree, const char *path, struct bytes value);
int xen_tree_make(struct xen_store_tree *tree, const char *path);
int xen_tree_remove(struct xen_store_tree *tree, const char *path);
int xen_tree_list(const struct xen_store_tree *tree, const char *path, char *to, size_t room,
		  size_t *size);
void xen_tree_clear(struct xen_store_tree *tree);

#endif /* _LAUNCHER_XEN_STORE_TREE_H */
