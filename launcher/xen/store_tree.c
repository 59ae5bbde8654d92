// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is in Xen's store: values by path. There are a few dozens of them, so they are looked
 * for one by one; a guest can make no more than there is room for.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xen/store_tree.h"

/**
 * xen_path_is_good() - may a node be called so?
 * @path: any text
 *
 * Return: true if it is absolute, not too long, and has neither odd characters nor empty names.
 */
bool xen_path_is_good(const char *path)
{
	const char *at;

	if (path[0] != '/' || strlen(path) >= XEN_STORE_PATH || strstr(path, "//"))
		return false;
	for (at = path; *at; at++)
		if (!isalnum((unsigned char)*at) && !strchr("-/_@:.", *at))
			return false;
	return !path[1] || at[-1] != '/';
}

/**
 * xen_path_is_below() - is it the same path, or one further down?
 * @path: an absolute path
 * @above: another one
 */
bool xen_path_is_below(const char *path, const char *above)
{
	size_t length = strlen(above);

	if (!strcmp(above, "/"))
		return true;
	return !strncmp(path, above, length) && (!path[length] || path[length] == '/');
}

static int find(const struct xen_store_tree *tree, const char *path)
{
	int i;

	for (i = 0; i < XEN_STORE_NODES; i++)
		if (tree->node[i].path && !strcmp(tree->node[i].path, path))
			return i;
	return -1;
}

/**
 * xen_tree_read() - the value at a path
 * @tree: the store
 * @path: a good path
 *
 * Return: the value, which stays until the next change; NULL if there is none.
 */
const struct bytes *xen_tree_read(const struct xen_store_tree *tree, const char *path)
{
	int number = find(tree, path);

	return number < 0 ? NULL : &tree->node[number].value;
}

static int add(struct xen_store_tree *tree, const char *path)
{
	int i;

	for (i = 0; i < XEN_STORE_NODES; i++) {
		if (tree->node[i].path)
			continue;
		tree->node[i].path = strdup(path);
		tree->node[i].value = (struct bytes){ NULL, 0 };
		return tree->node[i].path ? i : -ENOMEM;
	}
	return -ENOSPC;
}

/* Those above it are made, too. Return: its number, or a negative errno. */
static int find_or_make(struct xen_store_tree *tree, const char *path)
{
	char above[XEN_STORE_PATH];
	int number = find(tree, path);
	char *slash;

	if (number >= 0)
		return number;
	strcpy(above, path);
	while ((slash = strrchr(above, '/')) && slash != above) {
		*slash = '\0';
		if (find(tree, above) >= 0)
			break;
		number = add(tree, above);
		if (number < 0)
			return number;
	}
	return add(tree, path);
}

/**
 * xen_tree_write() - give a node a value, and make it if there is none
 * @tree: the store
 * @path: a good path
 * @value: copied
 *
 * Return: 0, or a negative errno.
 */
int xen_tree_write(struct xen_store_tree *tree, const char *path, struct bytes value)
{
	struct xen_store_node *node;
	uint8_t *copy;
	int number;

	if (value.size > XEN_STORE_VALUE)
		return -ENOSPC;
	number = find_or_make(tree, path);
	if (number < 0)
		return number;
	copy = malloc(value.size + 1);
	if (!copy)
		return -ENOMEM;
	if (value.size)
		memcpy(copy, value.at, value.size);
	copy[value.size] = '\0';
	node = &tree->node[number];
	free((void *)node->value.at);
	node->value = (struct bytes){ copy, value.size };
	return 0;
}

/**
 * xen_tree_make() - make a node, if there is none
 * @tree: the store
 * @path: a good path
 *
 * Return: 0, or a negative errno.
 */
int xen_tree_make(struct xen_store_tree *tree, const char *path)
{
	int number = find_or_make(tree, path);

	return number < 0 ? number : 0;
}

static void forget(struct xen_store_node *node)
{
	free(node->path);
	free((void *)node->value.at);
	*node = (struct xen_store_node){ NULL, { NULL, 0 } };
}

/**
 * xen_tree_remove() - remove a node, and all below it
 * @tree: the store
 * @path: a good path
 *
 * Return: 0, or -ENOENT.
 */
int xen_tree_remove(struct xen_store_tree *tree, const char *path)
{
	bool found = false;
	int i;

	for (i = 0; i < XEN_STORE_NODES; i++)
		if (tree->node[i].path && xen_path_is_below(tree->node[i].path, path)) {
			forget(&tree->node[i]);
			found = true;
		}
	return found ? 0 : -ENOENT;
}

/**
 * xen_tree_list() - the names of the nodes just below one
 * @tree: the store
 * @path: a good path
 * @to: the names go there, each with its end
 * @room: bytes there
 * @size: bytes used
 *
 * Return: 0, -ENOENT, or -E2BIG if there is not enough room.
 */
int xen_tree_list(const struct xen_store_tree *tree, const char *path, char *to, size_t room,
		  size_t *size)
{
	size_t above = strcmp(path, "/") ? strlen(path) : 0;
	int i;

	*size = 0;
	if (above && find(tree, path) < 0)
		return -ENOENT;
	for (i = 0; i < XEN_STORE_NODES; i++) {
		const char *name = tree->node[i].path;
		size_t length;

		if (!name || strncmp(name, path, above) || name[above] != '/')
			continue;
		name += above + 1;
		if (strchr(name, '/'))
			continue;
		length = strlen(name) + 1;
		if (length > room - *size)
			return -E2BIG;
		memcpy(to + *size, name, length);
		*size += length;
	}
	return 0;
}

/**
 * xen_tree_clear() - nothing is in it any more
 * @tree: the store
 */
void xen_tree_clear(struct xen_store_tree *tree)
{
	int i;

	for (i = 0; i < XEN_STORE_NODES; i++)
		forget(&tree->node[i]);
}
