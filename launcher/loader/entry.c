// SPDX-License-Identifier: GPL-2.0-only
/*
 * One thing that a boot loader could boot, and the lines of the files that describe it. The
 * guest may have written anything there: what is too long is left out.
 */
#include <stdio.h>
#include <string.h>

#include "loader/entry.h"

/* Take one line, without its end. Return: false at the end of the file. */
static bool take_line(struct bytes *from, struct bytes *text)
{
	const uint8_t *end;

	if (!from->size)
		return false;
	end = memchr(from->at, '\n', from->size);
	text->at = from->at;
	text->size = end ? (size_t)(end - from->at) : from->size;
	bytes_take(from, text->size + !!end);
	return true;
}

static bool is_space(uint8_t letter)
{
	return letter == ' ' || letter == '\t' || letter == '\r';
}

/* The state of the cutter, which is GRUB's shell without its variables. */
struct cutter {
	struct line *line;
	char *to, *end;
	bool quotes;		/* quotes, backslashes and comments mean something */
	uint8_t quote;		/* the one that is open, or 0 */
	bool in_word;
};

static bool begin_word(struct cutter *cutter)
{
	struct line *line = cutter->line;

	if (cutter->in_word)
		return true;
	if (line->words == LINE_WORDS)
		return false;
	line->word[line->words] = cutter->to;
	line->has_variable[line->words++] = false;
	cutter->in_word = true;
	return true;
}

/* Put one letter that means only itself into the word. */
static bool put(struct cutter *cutter, uint8_t letter)
{
	if (!begin_word(cutter) || cutter->to == cutter->end)
		return false;
	*cutter->to++ = letter;
	return true;
}

static bool end_word(struct cutter *cutter)
{
	if (!cutter->in_word)
		return true;
	cutter->in_word = false;
	if (cutter->to == cutter->end)
		return false;
	*cutter->to++ = '\0';
	return true;
}

/* Take one letter, and with a backslash the one behind it. Return: false if there is no room. */
static bool cut_letter(struct cutter *cutter, struct bytes *text)
{
	uint8_t letter = *bytes_take(text, 1);

	if (!cutter->quote && is_space(letter))
		return end_word(cutter);
	if (cutter->quotes && cutter->quote && letter == cutter->quote) {
		cutter->quote = 0;
		return true;
	}
	if (cutter->quotes && !cutter->quote && (letter == '\'' || letter == '"')) {
		cutter->quote = letter;
		return begin_word(cutter);
	}
	if (cutter->quotes && letter == '\\' && cutter->quote != '\'' && text->size)
		return put(cutter, *bytes_take(text, 1));
	if (!put(cutter, letter))
		return false;
	if (letter == '$' && cutter->quote != '\'')
		cutter->line->has_variable[cutter->line->words - 1] = true;
	return true;
}

/**
 * entry_next_line() - cut the next line into words
 * @from: the rest of the file; shrinks
 * @quotes: quotes and backslashes mean what they do in a shell
 * @line: filled in; without words if it is empty, a comment, or too long
 *
 * Return: false at the end of the file.
 */
bool entry_next_line(struct bytes *from, bool quotes, struct line *line)
{
	struct cutter cutter = {
		.line = line, .to = line->text, .end = line->text + LINE_ROOM, .quotes = quotes,
	};
	struct bytes text;
	bool fits = true;

	line->words = 0;
	if (!take_line(from, &text))
		return false;
	while (fits && text.size && (cutter.quote || cutter.in_word || *text.at != '#'))
		fits = cut_letter(&cutter, &text);
	if (!fits || !end_word(&cutter))
		line->words = 0;
	return true;
}

/**
 * entry_copy() - copy a word, if there is room for it
 * @to: it goes there
 * @room: bytes there
 * @word: the word
 *
 * Return: whether it fits; if not, @to is empty.
 */
bool entry_copy(char *to, size_t room, const char *word)
{
	bool fits = strlen(word) < room;

	strcpy(to, fits ? word : "");
	return fits;
}

/**
 * entry_add_words() - add to the kernel's command line
 * @entry: changed
 * @line: with the words; what needs a variable of the loader's is left out
 * @from: number of the first one
 */
void entry_add_words(struct entry *entry, const struct line *line, unsigned int from)
{
	size_t used = strlen(entry->words), length;
	const char *mark;

	for (; from < line->words; from++) {
		length = strlen(line->word[from]);
		/* The kernel has only this kind of quotes. */
		mark = strpbrk(line->word[from], " \t") ? "\"" : "";
		if (line->has_variable[from] || used + length + 4 > sizeof(entry->words))
			continue;
		used += sprintf(entry->words + used, "%s%s%s%s", used ? " " : "", mark,
				line->word[from], mark);
	}
}

/**
 * entry_add_initrds() - add initrds
 * @entry: changed
 * @line: "initrd", and names
 */
void entry_add_initrds(struct entry *entry, const struct line *line)
{
	unsigned int i;

	for (i = 1; i < line->words && entry->initrds < ENTRY_INITRDS; i++)
		if (!line->has_variable[i] &&
		    entry_copy(entry->initrd[entry->initrds], ENTRY_NAME, line->word[i]))
			entry->initrds++;
}
