// SPDX-License-Identifier: GPL-2.0-only
/*
 * GRUB's configuration, as grub-mkconfig writes it:
 *
 *	set default="0"			or "1>2", or titles or ids in place of numbers
 *	menuentry 'Debian' --class debian $menuentry_id_option 'gnulinux-simple-1' {
 *		linux	/boot/vmlinuz-6.1.0 root=UUID=... ro quiet
 *		initrd	/boot/initrd.img-6.1.0
 *	}
 *	submenu 'Advanced options' $menuentry_id_option 'gnulinux-advanced-1' {
 *		menuentry ...
 *	}
 *
 * It is a program, and nothing here runs it: of its variables only "default" is known, where
 * a plain value is given to it, and what is within if and fi counts in any case.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/compiler.h"
#include "loader/entry.h"
#include "loader/grub.h"

/* Blocks within blocks. */
#define MOST_BLOCKS	8

struct block {
	bool is_submenu, is_entry;
	bool wanted;		/* the default goes this way */
	unsigned int items;	/* menuentry and submenu so far */
};

struct reader {
	char path[ENTRY_NAME];	/* the default, without quotes; '>' parts it */
	unsigned int depth;	/* blocks that are open; more than MOST_BLOCKS may be */
	struct block block[MOST_BLOCKS + 1];	/* [0]: the file */
	unsigned int level;	/* submenus that are open */
	struct entry first, now;
	bool has_first, has_wanted;
};

/* The first plain one counts: those before are for what is not known here. */
static void find_default(struct bytes file, char *path)
{
	struct line *line = malloc(sizeof(*line));

	strcpy(path, "0");
	while (line && entry_next_line(&file, true, line)) {
		if (line->words != 2 || strcmp(line->word[0], "set") || line->has_variable[1] ||
		    strncmp(line->word[1], "default=", 8) || !line->word[1][8])
			continue;
		if (entry_copy(path, ENTRY_NAME, line->word[1] + 8) && strcmp(path, "saved"))
			break;
		strcpy(path, "0");
	}
	free(line);
}

/* Return: whether part @level of the path is the item; true where the path is shorter. */
static bool is_wanted(const char *path, unsigned int level, unsigned int number,
		      const struct line *line)
{
	size_t length;
	char digits[16];
	unsigned int i;

	for (; level && path; level--) {
		path = strchr(path, '>');
		path = path ? path + 1 : NULL;
	}
	if (!path)
		return true;
	length = strcspn(path, ">");
	snprintf(digits, sizeof(digits), "%u", number);
	if (length == strlen(digits) && !memcmp(path, digits, length))
		return true;
	/* Its title, and its id behind a word that says so. */
	for (i = 1; i < line->words; i++)
		if ((i == 1 || !strcmp(line->word[i - 1], "--id") ||
		     !strcmp(line->word[i - 1], "$menuentry_id_option")) &&
		    strlen(line->word[i]) == length && !memcmp(line->word[i], path, length))
			return true;
	return false;
}

static void open_block(struct reader *reader, const struct line *line)
{
	bool is_submenu = !strcmp(line->word[0], "submenu");
	bool is_entry = !strcmp(line->word[0], "menuentry");
	struct block *outer, *block;

	if (reader->depth >= MOST_BLOCKS) {
		reader->depth++;
		return;
	}
	outer = &reader->block[reader->depth++];
	block = &reader->block[reader->depth];
	*block = (struct block){ .is_submenu = is_submenu, .is_entry = is_entry };
	if (is_submenu || is_entry)
		block->wanted = outer->wanted &&
				is_wanted(reader->path, reader->level, outer->items++, line);
	reader->level += is_submenu;
	if (!is_entry)
		return;
	memset(&reader->now, 0, sizeof(reader->now));
	if (line->words > 1)
		entry_copy(reader->now.title, sizeof(reader->now.title), line->word[1]);
}

/* Return: true once the wanted entry is read. */
static bool close_block(struct reader *reader)
{
	const struct block *block;

	if (!reader->depth)
		return false;
	if (reader->depth > MOST_BLOCKS) {
		reader->depth--;
		return false;
	}
	block = &reader->block[reader->depth--];
	reader->level -= block->is_submenu;
	if (!block->is_entry || !*reader->now.kernel)
		return false;
	if (!reader->has_first)
		reader->first = reader->now;
	reader->has_first = true;
	reader->has_wanted = block->wanted;
	return reader->has_wanted;
}

static bool is_one_of(const char *word, const char * const *words, unsigned int count)
{
	while (count)
		if (!strcmp(word, words[--count]))
			return true;
	return false;
}

static void read_command(struct reader *reader, const struct line *line)
{
	static const char * const linux_words[] = { "linux", "linux16", "linuxefi" };
	static const char * const initrd_words[] = { "initrd", "initrd16", "initrdefi" };
	struct entry *now = &reader->now;

	if (line->words > 1 && !*now->kernel && !line->has_variable[1] &&
	    is_one_of(line->word[0], linux_words, ARRAY_SIZE(linux_words))) {
		entry_copy(now->kernel, sizeof(now->kernel), line->word[1]);
		entry_add_words(now, line, 2);
	} else if (*now->kernel && !now->initrds &&
		   is_one_of(line->word[0], initrd_words, ARRAY_SIZE(initrd_words))) {
		entry_add_initrds(now, line);
	}
}

/* Return: true once the wanted entry is read. */
static bool read_line(struct reader *reader, const struct line *line)
{
	if (!line->words)
		return false;
	if (!strcmp(line->word[0], "}"))
		return close_block(reader);
	if (!strcmp(line->word[line->words - 1], "{"))
		open_block(reader, line);
	else if (reader->depth && reader->depth <= MOST_BLOCKS &&
		 reader->block[reader->depth].is_entry)
		read_command(reader, line);
	return false;
}

/**
 * grub_read() - find what GRUB boots by default
 * @file: grub.cfg
 * @entry: filled in: the default entry, or the first one if that boots no Linux or is not there
 *
 * Return: false if there is no entry with a kernel.
 */
bool grub_read(struct bytes file, struct entry *entry)
{
	struct reader *reader = calloc(1, sizeof(*reader));
	struct line *line = malloc(sizeof(*line));
	bool found = false;

	if (reader && line) {
		find_default(file, reader->path);
		reader->block[0].wanted = true;
		while (entry_next_line(&file, true, line) && !read_line(reader, line))
			;
		found = reader->has_first;
		*entry = reader->has_wanted ? reader->now : reader->first;
	}
	free(line);
	free(reader);
	return found;
}
