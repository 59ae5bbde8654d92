// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest may have on its disk: files of boot loaders, and a file system of which any
 * bytes are others.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "input.h"
#include "loader/bls.h"
#include "loader/entry.h"
#include "loader/grub.h"
#include "loader/loader.h"

#define DISK_SIZE	(1U << 20)
#define UUID		"01234567-89ab-cdef-0123-456789abcdef"
#define MOST_CHANGES	16
#define MOST_FILE	(1U << 20)

static uint8_t whole[DISK_SIZE];
static int disk;

static void make_disk(const char *directory)
{
	char command[1024];

	snprintf(command, sizeof(command),
		 "cd %s && mkdir -p root/boot/grub root/etc && echo kernel >root/boot/k &&"
		 "echo initrd >root/boot/i && ln -s boot/k root/vmlinuz && ln -s boot/i root/initrd.img &&"
		 "printf 'menuentry x {\\nlinux /boot/k root=1\\ninitrd /boot/i\\n}\\n' >root/boot/grub/grub.cfg &&"
		 "E2FSPROGS_FAKE_TIME=1 /sbin/mke2fs -q -t ext4 -U " UUID " -E hash_seed=" UUID
		 " -O ^has_journal,^metadata_csum -d root disk 1M >/dev/null 2>&1", directory);
	require(!system(command));
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *directory = scratch_directory();
	char path[256];

	(void)argc;
	(void)argv;
	launcher_begin();
	make_disk(directory);
	snprintf(path, sizeof(path), "%s/disk", directory);
	disk = open(path, O_RDWR | O_CLOEXEC);
	require(disk >= 0 && pread(disk, whole, DISK_SIZE, 0) == DISK_SIZE);
	return 0;
}

static bool is_text(const char *text, size_t room)
{
	return memchr(text, '\0', room);
}

static void check_entry(const struct entry *entry)
{
	unsigned int i;

	require(*entry->kernel && is_text(entry->kernel, sizeof(entry->kernel)));
	require(is_text(entry->words, sizeof(entry->words)) && entry->initrds <= ENTRY_INITRDS);
	require(is_text(entry->title, sizeof(entry->title)));
	for (i = 0; i < entry->initrds; i++)
		require(is_text(entry->initrd[i], ENTRY_NAME));
}

static void try_file(bool is_grub)
{
	size_t size = input_left();
	uint8_t *copy = malloc(size + 1);
	struct bytes file = { copy, size };
	struct entry entry;

	input_bytes(copy, size);
	if (is_grub ? grub_read(file, &entry) : bls_read(file, &entry))
		check_entry(&entry);
	free(copy);
}

/* The result is a kernel, or exactly one message. */
static void try_disk(void)
{
	uint32_t at[MOST_CHANGES];
	unsigned int changes = 0;
	int file[LOADER_FILES], error;
	struct loader_found found;
	uint8_t bytes[8];

	while (!input_over() && changes < MOST_CHANGES) {
		at[changes] = input_32() % (DISK_SIZE - sizeof(bytes));
		input_bytes(bytes, sizeof(bytes));
		require(pwrite(disk, bytes, 1 + (bytes[0] & 7), at[changes++]) > 0);
	}
	messages = 0;
	error = loader_find(disk, "fuzz", MOST_FILE, &found, file);
	require(messages == !!error);
	require((file[LOADER_KERNEL] >= 0) == !error);
	require(error ? file[LOADER_INITRD] < 0 : is_text(found.words, sizeof(found.words)));
	file_close(&file[LOADER_KERNEL]);
	file_close(&file[LOADER_INITRD]);
	while (changes) {
		changes--;
		require(pwrite(disk, whole + at[changes], sizeof(bytes), at[changes]) > 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int kind;

	input_begin(data, size);
	kind = input_byte() % 4;
	if (kind < 2)
		try_file(kind);
	else
		try_disk();
	return 0;
}
