// SPDX-License-Identifier: GPL-2.0-only
/*
 * An option's value: FIRST[,WORD][,KEY=TEXT]...  As in QEMU, a comma that belongs to a word
 * is written twice.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/message.h"
#include "base/value.h"

/* End the word at @from where its comma is. Return: the next word, or NULL. */
static char *cut(char *from)
{
	char *to = from;
	bool more;

	while (*from && (*from != ',' || from[1] == ',')) {
		from += *from == ',';
		*to++ = *from++;
	}
	more = *from;
	*to = '\0';
	return more ? from + 1 : NULL;
}

/**
 * value_parse() - split a value into its words
 * @value: filled in; value_free() it, whatever this returns
 * @option: its option's name, for the person
 * @what: what the first word is, for the person
 * @text: the value
 *
 * Return: 0, or a negative errno after telling the person.
 */
int value_parse(struct value *value, const char *option, const char *what, const char *text)
{
	char *next;

	memset(value, 0, sizeof(*value));
	value->text = strdup(text);
	if (!value->text)
		return no_memory();
	value->first = value->text;
	next = cut(value->text);
	if (!*value->first)
		return misused("--%s needs a value: --%s=%s", option, option, what);
	while (next) {
		if (value->words == VALUE_MAX_WORDS)
			return misused("--%s=%s has too many words", option, text);
		value->word[value->words++] = next;
		next = cut(next);
	}
	return 0;
}

/**
 * value_flag() - is this word in the value?
 * @value: from value_parse()
 * @word: a word without "="
 */
bool value_flag(const struct value *value, const char *word)
{
	unsigned int i;

	for (i = 0; i < value->words; i++)
		if (!strcmp(value->word[i], word))
			return true;
	return false;
}

static bool has_key(const char *word, const char *key)
{
	size_t length = strlen(key);

	return !strncmp(word, key, length) && word[length] == '=';
}

/**
 * value_get() - get the text of KEY=TEXT; the last one counts
 * @value: from value_parse()
 * @key: the key
 *
 * Return: text that lives as long as @value, or NULL.
 */
const char *value_get(const struct value *value, const char *key)
{
	unsigned int i;

	for (i = value->words; i > 0; i--)
		if (has_key(value->word[i - 1], key))
			return value->word[i - 1] + strlen(key) + 1;
	return NULL;
}

/**
 * value_refuse_others() - refuse words that the option does not know
 * @value: from value_parse()
 * @option: its option's name, for the person
 * @...: the words that it knows, keys with "=" after them; NULL at the end
 *
 * Return: 0, or -EINVAL after telling the person.
 */
int value_refuse_others(const struct value *value, const char *option, ...)
{
	unsigned int i;

	for (i = 0; i < value->words; i++) {
		const char *known;
		va_list list;
		bool found = false;

		va_start(list, option);
		while (!found && (known = va_arg(list, const char *))) {
			size_t length = strlen(known);

			found = known[length - 1] == '=' ?
				!strncmp(value->word[i], known, length) :
				!strcmp(value->word[i], known);
		}
		va_end(list);
		if (!found)
			return misused("--%s does not know '%s': 'lguest --help' lists what there is",
				      option, value->word[i]);
	}
	return 0;
}

/**
 * value_free() - give back what value_parse() took
 * @value: as value_parse() left it
 */
void value_free(struct value *value)
{
	free(value->text);
	memset(value, 0, sizeof(*value));
}
