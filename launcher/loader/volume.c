// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a disk is divided into, and what is in each part: libblkid knows partition tables and
 * file systems.
 */
#include <blkid/blkid.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/message.h"
#include "loader/volume.h"

#define SECTOR	512ULL

static void copy_value(blkid_probe probe, const char *name, char *to, size_t room)
{
	const char *value;

	if (blkid_probe_lookup_value(probe, name, &value, NULL) || strlen(value) >= room)
		value = "";
	snprintf(to, room, "%s", value);
}

/* Find out what is in a volume. Where nothing is, or two things at once, it has no type. */
static int look_into(int disk, struct volume *volume)
{
	blkid_probe probe = blkid_new_probe();
	int error = -ENOMEM;

	if (!probe)
		return error;
	blkid_probe_enable_partitions(probe, 0);
	blkid_probe_enable_superblocks(probe, 1);
	blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_UUID);
	error = -EIO;
	if (!blkid_probe_set_device(probe, disk, volume->offset, volume->size)) {
		error = 0;
		if (!blkid_do_safeprobe(probe)) {
			copy_value(probe, "TYPE", volume->type, sizeof(volume->type));
			copy_value(probe, "UUID", volume->uuid, sizeof(volume->uuid));
		}
	}
	blkid_free_probe(probe);
	return error;
}

/* Return: 1 if the partition may hold something and lies inside of the disk, else 0. */
static int take_partition(blkid_partition partition, uint64_t size, struct volume *volume)
{
	uint64_t start = blkid_partition_get_start(partition);
	uint64_t sectors = blkid_partition_get_size(partition);
	const char *uuid = blkid_partition_get_uuid(partition);

	if (blkid_partition_is_extended(partition) || !sectors || start > size / SECTOR ||
	    sectors > size / SECTOR - start)
		return 0;
	memset(volume, 0, sizeof(*volume));
	volume->number = blkid_partition_get_partno(partition);
	volume->offset = start * SECTOR;
	volume->size = sectors * SECTOR;
	if (uuid && strlen(uuid) < sizeof(volume->partition_uuid))
		strcpy(volume->partition_uuid, uuid);
	return 1;
}

/* Return: how many partitions there are, or a negative errno. */
static int list_partitions(int disk, uint64_t size, struct volume *volume)
{
	blkid_probe probe = blkid_new_probe();
	blkid_partlist list = NULL;
	int count = 0, i;

	if (!probe)
		return -ENOMEM;
	blkid_probe_enable_superblocks(probe, 0);
	blkid_probe_enable_partitions(probe, 1);
	if (!blkid_probe_set_device(probe, disk, 0, size))
		list = blkid_probe_get_partitions(probe);
	for (i = 0; list && i < blkid_partlist_numof_partitions(list) && count < VOLUMES_MAX; i++)
		count += take_partition(blkid_partlist_get_partition(list, i), size, &volume[count]);
	blkid_free_probe(probe);
	return count;
}

/**
 * volumes_find() - find the parts of a disk
 * @disk: a descriptor of it
 * @path: its name for the person
 * @volume: room for VOLUMES_MAX, in the order of the partition table
 *
 * Return: how many there are, at least one; or a negative errno after telling the person.
 */
int volumes_find(int disk, const char *path, struct volume *volume)
{
	off_t size = lseek(disk, 0, SEEK_END);
	int count, i, error;

	if (size < 0)
		return refuse(-errno, "can't read the disk '%s': %s", path, strerror(errno));
	*volume = (struct volume){ .size = size };
	error = look_into(disk, volume);
	if (!error && *volume->type)
		return 1;
	count = error ? error : list_partitions(disk, size, volume);
	if (count == 0) {
		*volume = (struct volume){ .size = size };
		return 1;
	}
	for (i = 0; i < count && !error; i++)
		error = look_into(disk, &volume[i]);
	if (count < 0)
		error = count;
	return error ? refuse(error, "can't read the disk '%s': %s", path, strerror(-error)) : count;
}

/**
 * volume_is_ext() - is there a file system in it that ext.c reads?
 * @volume: from volumes_find()
 */
bool volume_is_ext(const struct volume *volume)
{
	return !strcmp(volume->type, "ext4") || !strcmp(volume->type, "ext3") ||
	       !strcmp(volume->type, "ext2");
}

static const char *type_name(const struct volume *volume)
{
	if (!strcmp(volume->type, "LVM2_member"))
		return "LVM";
	if (!strcmp(volume->type, "crypto_LUKS"))
		return "LUKS, encrypted";
	return *volume->type ? volume->type : "nothing known";
}

/**
 * volume_name() - say which part of the disk it is, and what is in it
 * @volume: from volumes_find()
 * @name: the text goes there
 * @room: bytes there
 */
void volume_name(const struct volume *volume, char *name, size_t room)
{
	if (volume->number)
		snprintf(name, room, "partition %u (%s)", volume->number, type_name(volume));
	else
		snprintf(name, room, "the whole disk (%s)", type_name(volume));
}
