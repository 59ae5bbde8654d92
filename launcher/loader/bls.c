// SPDX-License-Identifier: GPL-2.0-only
/*
 * Entries as the Boot Loader Specification has them: a file for each, in loader/entries:
 *
 *	title	Fedora Linux
 *	version	6.12.4-200.fc41.x86_64
 *	linux	/vmlinuz-6.12.4-200.fc41.x86_64
 *	initrd	/initramfs-6.12.4-200.fc41.x86_64.img
 *	options	root=UUID=... ro rhgb quiet
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "loader/bls.h"
#include "loader/entry.h"

#define SUFFIX	".conf"

static bool is_entry(const char *name)
{
	size_t length = strlen(name), suffix = strlen(SUFFIX);

	return length > suffix && !strcmp(name + length - suffix, SUFFIX);
}

/**
 * bls_is_newer() - does this file have the entry to boot rather than that one?
 * @name: of a file in loader/entries
 * @than: of another one, or ""
 *
 * As for GRUB: the last one counts, with numbers as numbers.
 */
bool bls_is_newer(const char *name, const char *than)
{
	return is_entry(name) && (!*than || strverscmp(name, than) > 0);
}

static void read_key(struct entry *entry, const struct line *line)
{
	const char *key = line->word[0];

	if (!strcmp(key, "title"))
		entry_copy(entry->title, sizeof(entry->title), line->word[1]);
	else if (!strcmp(key, "linux") && !line->has_variable[1])
		entry_copy(entry->kernel, sizeof(entry->kernel), line->word[1]);
	else if (!strcmp(key, "initrd"))
		entry_add_initrds(entry, line);
	else if (!strcmp(key, "options"))
		entry_add_words(entry, line, 1);
}

/**
 * bls_read() - read an entry
 * @file: its file
 * @entry: filled in
 *
 * Return: false if it has no kernel.
 */
bool bls_read(struct bytes file, struct entry *entry)
{
	struct line *line = malloc(sizeof(*line));

	memset(entry, 0, sizeof(*entry));
	while (line && entry_next_line(&file, false, line))
		if (line->words > 1)
			read_key(entry, line);
	free(line);
	return *entry->kernel;
}
