// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a boot loader does: finds on a guest's disk what the guest starts from. In the first
 * file system that has one of these, in this order:
 *
 *	grub/grub.cfg or grub2/grub.cfg		with entries in it
 *	loader/entries/...			the last one
 *
 * in /boot, or at the top if the file system is one for /boot alone; and if no file system
 * has them, /vmlinuz and /initrd.img.
 *
 * The guest writes all that this reads, so it runs in a process without rights (boot/parser.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/bytes.h"
#include "base/compiler.h"
#include "base/file.h"
#include "base/message.h"
#include "loader/bls.h"
#include "loader/entry.h"
#include "loader/ext.h"
#include "loader/grub.h"
#include "loader/loader.h"
#include "loader/volume.h"

#define MOST_GRUB	(1U << 20)
#define MOST_BLS	(64U << 10)
#define NAME_ROOM	64

struct search {
	int disk;
	const char *path;	/* the disk's name for the person */
	int volumes;
	struct volume volume[VOLUMES_MAX];
	struct entry entry;
	const char *by;		/* what has the entry, for the person */
	const char *broken;	/* why a file system can't be read, or NULL */
};

/* --- Which entry? --- */

static bool try_grub(struct search *search, struct ext *ext, const char *path, bool with_bls)
{
	struct bytes file;
	bool found;

	if (ext_load(ext, path, MOST_GRUB, &file))
		return false;
	/* With this command GRUB takes the entries of loader/entries into its own. */
	found = !!memmem(file.at, file.size, "blscfg", 6) == with_bls &&
		grub_read(file, &search->entry);
	free((void *)file.at);
	search->by = "GRUB's entry";
	return found;
}

static bool try_grubs(struct search *search, struct ext *ext, bool with_bls)
{
	static const char * const paths[] = {
		"/boot/grub/grub.cfg", "/boot/grub2/grub.cfg", "/grub/grub.cfg", "/grub2/grub.cfg",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(paths); i++)
		if (try_grub(search, ext, paths[i], with_bls))
			return true;
	return false;
}

static void keep_newest(void *newest, const char *name)
{
	if (bls_is_newer(name, newest))
		entry_copy(newest, ENTRY_NAME, name);
}

static bool try_bls(struct search *search, struct ext *ext, const char *directory)
{
	char newest[ENTRY_NAME] = "", path[2 * ENTRY_NAME];
	struct bytes file;
	bool found;

	if (ext_list(ext, directory, keep_newest, newest) || !*newest)
		return false;
	snprintf(path, sizeof(path), "%s/%s", directory, newest);
	if (ext_load(ext, path, MOST_BLS, &file))
		return false;
	found = bls_read(file, &search->entry);
	free((void *)file.at);
	search->by = "the entry of loader/entries";
	return found;
}

static bool try_configured(struct search *search, struct ext *ext)
{
	return try_grubs(search, ext, false) || try_bls(search, ext, "/boot/loader/entries") ||
	       try_bls(search, ext, "/loader/entries") || try_grubs(search, ext, true);
}

/* What Debian's kernel packages, and those of others, keep up to date without a boot loader. */
static bool try_plain(struct search *search, struct ext *ext)
{
	static const char * const names[][2] = {
		{ "/vmlinuz", "/initrd.img" }, { "/boot/vmlinuz", "/boot/initrd.img" },
		{ "/boot/vmlinuz", "/boot/initrd" }, { "/vmlinuz", "" }, { "/boot/vmlinuz", "" },
	};
	unsigned int i;

	memset(&search->entry, 0, sizeof(search->entry));
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (!ext_has(ext, names[i][0]) || (*names[i][1] && !ext_has(ext, names[i][1])))
			continue;
		strcpy(search->entry.kernel, names[i][0]);
		strcpy(search->entry.initrd[0], names[i][1]);
		search->entry.initrds = !!*names[i][1];
		search->by = "its usual name";
		return true;
	}
	return false;
}

/* Find an entry. Return: where, with that file system open; or NULL. */
static const struct volume *find_entry(struct search *search, struct ext *ext)
{
	bool (*const tries[])(struct search *, struct ext *) = { try_configured, try_plain };
	unsigned int try;
	int i;

	for (try = 0; try < ARRAY_SIZE(tries); try++)
		for (i = 0; i < search->volumes; i++) {
			if (!volume_is_ext(&search->volume[i]))
				continue;
			if (ext_open(ext, search->disk, &search->volume[i])) {
				search->broken = ext->why;
				continue;
			}
			if (tries[try](search, ext))
				return &search->volume[i];
			ext_close(ext);
		}
	return NULL;
}

static int refuse_all(const struct search *search)
{
	char parts[512] = "", name[NAME_ROOM];
	bool has_ext = false;
	size_t used = 0;
	int i;

	for (i = 0; i < search->volumes && used < sizeof(parts); i++) {
		volume_name(&search->volume[i], name, sizeof(name));
		used += snprintf(parts + used, sizeof(parts) - used, "%s%s", i ? ", " : "", name);
		has_ext |= volume_is_ext(&search->volume[i]);
	}
	if (search->broken)
		return refuse(-EIO, "can't boot from the disk '%s': a file system on it can't be read: %s: fsck.ext4 may mend it, of %s",
			      search->path, search->broken, parts);
	if (!has_ext)
		return refuse(-ENOENT, "can't boot from the disk '%s': a kernel is looked for in ext4 alone, and there is only %s: name a KERNEL",
			      search->path, parts);
	return refuse(-ENOENT, "can't boot from the disk '%s': neither /boot/grub/grub.cfg nor /boot/loader/entries nor /vmlinuz is on %s: install a kernel there, or name a KERNEL",
		      search->path, parts);
}

/* --- What belongs to it. --- */

static bool names_root(const char *words)
{
	return !strncmp(words, "root=", 5) || strstr(words, " root=");
}

/* The file system that has /etc: the kernel's own, or another one if that is for /boot alone. */
static const struct volume *find_root(const struct search *search, const struct volume *own,
				      struct ext *ext)
{
	struct ext other;
	bool is_root;
	int i;

	if (ext_has_directory(ext, "/etc"))
		return own;
	for (i = 0; i < search->volumes; i++) {
		if (&search->volume[i] == own || !volume_is_ext(&search->volume[i]) ||
		    ext_open(&other, search->disk, &search->volume[i]))
			continue;
		is_root = ext_has_directory(&other, "/etc");
		ext_close(&other);
		if (is_root)
			return &search->volume[i];
	}
	return NULL;
}

/* An initrd finds file systems by their UUID; the kernel alone, no more than partitions. */
static void say_root(const struct volume *root, bool has_initrd, char *to, size_t room)
{
	if (!root)
		*to = '\0';
	else if (has_initrd && *root->uuid)
		snprintf(to, room, "UUID=%s", root->uuid);
	else if (*root->partition_uuid)
		snprintf(to, room, "PARTUUID=%s", root->partition_uuid);
	else
		snprintf(to, room, "%s", root->number ? "" : LOADER_ROOT_DISK);
}

static int refuse_file(const struct search *search, const struct ext *ext, int error,
		       const char *what, const char *name, const struct loader_found *found)
{
	return refuse(error, "can't boot from the disk '%s': the %s '%s' on %s, found by %s, %s: mend that, or name a KERNEL",
		      search->path, what, name, found->place, search->by,
		      error == -EFBIG ? "is larger than the guest's memory" : ext->why);
}

/*
 * Copy files, one behind the other, to a file in memory that does not change any more.
 * Return: its descriptor, or a negative errno after telling the person.
 */
static int copy_files(const struct search *search, struct ext *ext, uint64_t most,
		      const char *what, const char (*name)[ENTRY_NAME], unsigned int count,
		      const struct loader_found *found)
{
	int fd = memfd_create("lguest-disk", MFD_CLOEXEC | MFD_ALLOW_SEALING), error = 0;
	uint64_t at = 0;
	unsigned int i;

	if (fd < 0)
		return refuse(-errno, "no memory to read the disk '%s': %s", search->path,
			      strerror(errno));
	for (i = 0; i < count && !error; i++) {
		at = (at + 3) & ~3ULL;		/* as the kernel wants its archives */
		error = at > most ? -EFBIG : ext_copy(ext, name[i], most - at, fd, &at);
		if (error)
			refuse_file(search, ext, error, what, name[i], found);
	}
	if (!error && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		error = refuse(-errno, "can't seal a file in memory: %s", strerror(errno));
	if (error)
		file_close(&fd);
	return error ? error : fd;
}

static int take_files(struct search *search, struct ext *ext, uint64_t most,
		      const struct loader_found *found, int file[LOADER_FILES])
{
	struct entry *entry = &search->entry;

	file[LOADER_KERNEL] = copy_files(search, ext, most, "kernel", &entry->kernel, 1, found);
	if (file[LOADER_KERNEL] < 0)
		return file[LOADER_KERNEL];
	if (!entry->initrds)
		return 0;
	file[LOADER_INITRD] = copy_files(search, ext, most, "initrd", entry->initrd,
					 entry->initrds, found);
	if (file[LOADER_INITRD] >= 0)
		return 0;
	file_close(&file[LOADER_KERNEL]);
	return file[LOADER_INITRD];
}

static void describe(const struct search *search, const struct volume *volume, struct ext *ext,
		     struct loader_found *found)
{
	const struct entry *entry = &search->entry;

	memset(found, 0, sizeof(*found));
	volume_name(volume, found->place, sizeof(found->place));
	if (*entry->title)
		snprintf(found->entry, sizeof(found->entry), "%s '%s'", search->by, entry->title);
	else
		strcpy(found->entry, search->by);
	strcpy(found->kernel, entry->kernel);
	strcpy(found->initrd, entry->initrds ? entry->initrd[0] : "");
	strcpy(found->words, entry->words);
	if (!names_root(entry->words))
		say_root(find_root(search, volume, ext), entry->initrds, found->root,
			 sizeof(found->root));
}

/**
 * loader_find() - find on a guest's disk what it starts from
 * @disk: a descriptor of the disk
 * @path: the disk's name for the person
 * @most: bytes that the kernel's file may have, and the initrd: the guest's memory
 * @found: filled in
 * @file: descriptors of the kernel and of the initrd go there, or -1; files in memory
 *
 * Return: 0, or a negative errno after telling the person.
 */
int loader_find(int disk, const char *path, uint64_t most, struct loader_found *found,
		int file[LOADER_FILES])
{
	struct search *search = calloc(1, sizeof(*search));
	const struct volume *volume;
	struct ext ext;
	int error;

	file[LOADER_KERNEL] = file[LOADER_INITRD] = -1;
	if (!search)
		return no_memory();
	search->disk = disk;
	search->path = path;
	search->volumes = volumes_find(disk, path, search->volume);
	error = search->volumes < 0 ? search->volumes : 0;
	if (!error) {
		volume = find_entry(search, &ext);
		if (volume) {
			describe(search, volume, &ext, found);
			if (ext_is_unclean(&ext))
				detail("%s: the file system of %s was not unmounted, and what is only in its journal does not count: fsck.ext4 brings it in",
				       path, found->place);
			error = take_files(search, &ext, most, found, file);
			ext_close(&ext);
		} else {
			error = refuse_all(search);
		}
	}
	free(search);
	return error;
}
