/* SPDX-License-Identifier: GPL-2.0-only */
/* The words of a command. */
#ifndef _LAUNCHER_WORDS_H
#define _LAUNCHER_WORDS_H

#include <stdbool.h>

int words_option(char **word, const char *name, bool has_value, const char **value);

#endif /* _LAUNCHER_WORDS_H */
