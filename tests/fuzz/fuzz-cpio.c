// SPDX-License-Identifier: GPL-2.0-only
/* Archives: what was put in comes out, if they are read as the kernel reads them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session/cpio.h"
#include "input.h"

#define HEADER		110
#define MOST_FILES	8

struct file {
	char name[64];
	uint32_t mode;
	uint8_t data[256];
	size_t size;
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

static uint32_t field(const char *header, unsigned int number)
{
	char text[9] = "";

	memcpy(text, header + 6 + 8 * number, 8);
	return strtoul(text, NULL, 16);
}

static size_t aligned(size_t size)
{
	return (size + 3) / 4 * 4;
}

/* Check that @file is at @at. Return: where the next entry begins. */
static size_t find(const char *archive, size_t at, size_t size, const struct file *file)
{
	size_t name = at + HEADER, data = aligned(name + strlen(file->name) + 1);

	require(data <= size && !memcmp(archive + at, "070701", 6));
	require(field(archive + at, 1) == file->mode);
	require(field(archive + at, 6) == file->size);
	require(field(archive + at, 11) == strlen(file->name) + 1);
	require(!strcmp(archive + name, file->name));
	require(data + file->size <= size && !memcmp(archive + data, file->data, file->size));
	return aligned(data + file->size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct file files[MOST_FILES + 1];
	unsigned int i, count;
	char *archive;
	size_t at = 0;
	FILE *stream = open_memstream(&archive, &size);

	input_begin(data, size);
	count = input_below(MOST_FILES + 1);
	for (i = 0; i < count; i++) {
		struct file *file = &files[i];

		memset(file, 0, sizeof(*file));
		input_bytes(file->name, input_below(sizeof(file->name) - 1) + 1);
		file->mode = input_32();
		file->size = input_bytes(file->data, input_byte());
		cpio_add(stream, file->name, file->mode, file->data, file->size);
	}
	files[i] = (struct file){ .name = "TRAILER!!!" };
	cpio_end(stream);
	fclose(stream);
	for (i = 0; i <= count; i++)
		at = find(archive, at, size, &files[i]);
	require(at == size);
	free(archive);
	return 0;
}
