// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who has called us: a user, or one who has become root by sudo.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/number.h"
#include "base/user.h"

#define NOBODY	65534	/* the group of a user who has none that we know */

/* @name: sudo's variable. Return: 0; -ENOENT: it is not set; -EINVAL: it is no number. */
static int read_id(const char *name, uint64_t *id)
{
	const char *text = geteuid() ? NULL : getenv(name);

	if (!text)
		return -ENOENT;
	return number_parse(text, 0, UINT32_MAX - 1, id) ? 0 : -EINVAL;
}

/**
 * user_who_called() - the user who has called us, through sudo perhaps
 * @uid: the user goes there
 * @gid: and the user's group
 *
 * Return: 0, or -EINVAL if sudo's variables make no sense; nobody is told.
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
 * user_is_trusted() - may a file of that user's be used that nobody has named?
 * @uid: the user
 *
 * Return: true for root, ourselves, and who has called us through sudo.
 */
bool user_is_trusted(uid_t uid)
{
	uint64_t id;

	return !uid || uid == geteuid() || (!read_id("SUDO_UID", &id) && uid == id);
}
