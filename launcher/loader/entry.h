/* SPDX-License-Identifier: GPL-2.0-only */
/* One thing that a boot loader could boot. */
#ifndef _LAUNCHER_ENTRY_H
#define _LAUNCHER_ENTRY_H

#include <stdbool.h>

#include "base/bytes.h"

#define ENTRY_NAME	256	/* of a file, its zero byte included */
#define ENTRY_WORDS	2048	/* for the kernel's command line */
#define ENTRY_INITRDS	4	/* one behind the other in memory */

struct entry {
	char title[ENTRY_NAME];	/* for the person */
	char kernel[ENTRY_NAME];	/* "": it boots no kernel of Linux */
	unsigned int initrds;
	char initrd[ENTRY_INITRDS][ENTRY_NAME];
	char words[ENTRY_WORDS];	/* without a space in front */
};

/* A line, cut into words. */
#define LINE_ROOM	4096
#define LINE_WORDS	128

struct line {
	unsigned int words;
	const char *word[LINE_WORDS];
	bool has_variable[LINE_WORDS];	/* there is a $ in it that only the loader can read */
	char text[LINE_ROOM];
};

bool entry_next_line(struct bytes *from, bool quotes, struct line *line);
bool entry_copy(char *to, size_t room, const char *word);
void entry_add_words(struct entry *entry, const struct line *line, unsigned int from);
void entry_add_initrds(struct entry *entry, const struct line *line);

#endif /* _LAUNCHER_ENTRY_H */
