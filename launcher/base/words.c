// SPDX-License-Identifier: GPL-2.0-only
/*
 * The words of a command line.
 */
#include <string.h>

#include "base/compiler.h"
#include "base/message.h"
#include "base/words.h"

/**
 * words_option() - is a command's word this option?
 * @word: in a list that ends with NULL
 * @name: the option's name
 * @has_value: the option is --NAME=VALUE or --NAME VALUE, not --NAME
 * @value: receives the value
 *
 * Return: how many words the option takes; 0 if the word is something else; or a negative
 * errno after telling the person.
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
		return misused("option '%s' takes no value", *word);
	if (has_value && !rest[length] && !word[1])
		return misused("option '%s' needs a value", *word);
	*value = rest[length] ? rest + length + 1 : word[1];
	return 1 + (has_value && !rest[length]);
}

/**
 * words_distance() - how far is what the person typed from this word?
 * @said: what the person typed
 * @length: of @said
 * @word: the word
 *
 * Counts missing, additional and wrong letters. The beginning of a word counts as near.
 *
 * Return: the distance; WORDS_FAR if it is too large to be a typing mistake.
 */
unsigned int words_distance(const char *said, unsigned int length, const char *word)
{
	unsigned int row[32], i, j, across, down = strlen(word);

	if (length > 1 && !strncmp(said, word, length))
		return 1;
	if (length >= ARRAY_SIZE(row))
		return WORDS_FAR;
	for (i = 0; i <= length; i++)
		row[i] = i;
	for (j = 1; j <= down; j++) {
		across = row[0]++;
		for (i = 1; i <= length; i++) {
			unsigned int other = across + (said[i - 1] != word[j - 1]);

			across = row[i];
			if (other > across + 1)
				other = across + 1;
			row[i] = other > row[i - 1] + 1 ? row[i - 1] + 1 : other;
		}
	}
	return row[length] <= (length + 2) / 3 && row[length] < length ? row[length] : WORDS_FAR;
}
