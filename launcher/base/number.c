// SPDX-License-Identifier: GPL-2.0-only
/*
 * Numbers that a person or another program has written: decimal digits, without sign or
 * blanks. These functions print no message: their callers know better what to say.
 */
#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/number.h"

/**
 * number_read() - read a number at the beginning of a text
 * @text: the text
 * @min: the least number allowed
 * @max: the greatest number allowed
 * @value: receives the number; unchanged if NULL is returned
 *
 * Return: what follows the digits; NULL if there are none, or the number is not allowed.
 */
const char *number_read(const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
	unsigned long long number;
	char *end;

	if (!isdigit((unsigned char)*text))
		return NULL;
	errno = 0;
	number = strtoull(text, &end, 10);
	if (errno || number < min || number > max)
		return NULL;
	*value = number;
	return end;
}

/**
 * number_parse() - read a text that is a number and nothing else
 * @text: the text
 * @min: the least number allowed
 * @max: the greatest number allowed
 * @value: receives the number; unchanged if false is returned
 *
 * Return: true if it is an allowed number.
 */
bool number_parse(const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
	uint64_t number;
	const char *end = number_read(text, min, max, &number);

	if (!end || *end)
		return false;
	*value = number;
	return true;
}
