/* SPDX-License-Identifier: GPL-2.0-only */
/* An option's value: FIRST[,WORD][,KEY=TEXT]... */
#ifndef _LAUNCHER_VALUE_H
#define _LAUNCHER_VALUE_H

#include <stdbool.h>

#define VALUE_MAX_WORDS	16

struct value {
	char *text;	/* from malloc(); holds the words */
	const char *first;
	unsigned int words;
	const char *word[VALUE_MAX_WORDS];
};

int value_parse(struct value *value, const char *option, const char *what, const char *text);
bool value_flag(const struct value *value, const char *word);
const char *value_get(const struct value *value, const char *key);
int value_refuse_others(const struct value *value, const char *option, ...)
	__attribute__((sentinel));
void value_free(struct value *value);

#endif /* _LAUNCHER_VALUE_H */
