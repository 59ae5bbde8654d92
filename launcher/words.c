// SPDX-License-Identifier: GPL-2.0-only
/*
 * The words of a command, one after the other.
 */
#include <errno.h>
#include <string.h>

#include "message.h"
#include "words.h"

/**
 * words_option() - is a command's word this option?
 * @word: in a list that ends with NULL
 * @name: the option's
 * @has_value: --NAME=VALUE or --NAME VALUE, not --NAME
 * @value: goes there
 *
 * Return: how many words it takes, 0 if the word is something else; or a negative errno
 * after telling the person.
 */
int words_option(char **word, const char *name, bool has_value, const char **value)
{
	size_t length = strlen(name);
	const char *rest;

	if (strncmp(*word, "--", 2))
		return 0;
	rest = *word + 2;
	if (strncmp(rest, name, length) || (rest[length] && rest[length] != '='))
		return 0;
	if (rest[length] && !has_value)
		return refuse(-EINVAL, "option '%s' takes no value", *word);
	if (has_value && !rest[length] && !word[1])
		return refuse(-EINVAL, "option '%s' needs a value", *word);
	*value = rest[length] ? rest + length + 1 : word[1];
	return 1 + (has_value && !rest[length]);
}
