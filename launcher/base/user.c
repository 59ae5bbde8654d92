// SPDX-License-Identifier: GPL-2.0-only
/*
 * The user who started lguest, perhaps through sudo.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/number.h"
#include "base/user.h"

#define NOBODY	65534	/* the group of a user whose group we do not know */

/* @name: sudo's variable. Return: 0; -ENOENT: it is not set; -EINVAL: it is no number. */
static int read_id(const char *name, uint64_t *id)
{
	const char *text = geteuid() ? NULL : getenv(name);

	if (!text)
		return -ENOENT;
	return number_parse(text, 0, UINT32_MAX - 1, id) ? 0 : -EINVAL;
}

/**
 * user_who_called() - find out who started lguest, perhaps through sudo
 * @uid: receives the user
 * @gid: receives the user's group
 *
 * Return: 0, or -EINVAL if sudo's variables are no numbers; prints no message.
 */
int user_who_called(uid_t *uid, gid_t *gid)
{
	uint64_t id = getuid(), group = getgid();
	int error = read_id("SUDO_UID", &id);

	if (!error) {
		group = NOBODY;
		error = read_id("SUDO_GID", &group);
	}
	*uid = id;
	*gid = group;
	return error == -EINVAL ? error : 0;
}

/**
 * user_is_trusted() - may lguest use this user's file although nobody named it?
 * @uid: the file's owner
 *
 * Return: true for root, our own user, and the user who started us through sudo.
 */
bool user_is_trusted(uid_t uid)
{
	uint64_t id;

	return !uid || uid == geteuid() || (!read_id("SUDO_UID", &id) && uid == id);
}
