/* SPDX-License-Identifier: GPL-2.0-only */
/* The words of a command line. */
#ifndef _LAUNCHER_WORDS_H
#define _LAUNCHER_WORDS_H

#include <stdbool.h>

/* The distance of words that have nothing to do with each other. */
#define WORDS_FAR	100

int words_option(char **word, const char *name, bool has_value, const char **value);
unsigned int words_distance(const char *said, unsigned int length, const char *word);

#endif /* _LAUNCHER_WORDS_H */
