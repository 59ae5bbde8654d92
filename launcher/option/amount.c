// SPDX-License-Identifier: GPL-2.0-only
/*
 * Amounts of memory, CPUs and time, in the form in which a person writes them.
 */
#include <ctype.h>
#include <limits.h>
#include <string.h>

#include "option/amount.h"
#include "lguest_uapi.h"
#include "memory.h"
#include "base/message.h"
#include "base/number.h"

/* @unit: what follows the digits: a unit, or nothing. Return: the shift to bytes, or -1. */
static int unit_shift(const char *unit)
{
	static const char units[] = "kmg";
	const char *found = *unit ? strchr(units, tolower((unsigned char)*unit)) : units + 1;

	if (!found || (*unit && unit[1]))
		return -1;
	return 10 * (1 + (found - units));
}

/**
 * amount_looks_like() - does this word look like an amount of memory?
 * @text: a word
 *
 * Return: true for digits, with or without one of k, m, g after them.
 */
bool amount_looks_like(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits && unit_shift(text + digits) > 0;
}

/**
 * amount_bytes() - understand an amount of memory, which may be 0
 * @text: digits and one of k, m, g; digits alone mean MiB
 * @size: receives the bytes, rounded down to whole pages
 *
 * Return: 0, or a negative errno after telling the person.
 */
int amount_bytes(const char *text, uint64_t *size)
{
	uint64_t value = UINT64_MAX;	/* number_read() leaves it if there are too many digits */
	int shift;

	if (!amount_looks_like(text))
		return misused("'%s' is not an amount of memory: say 64m, 2g or a number of MiB",
			       text);
	shift = unit_shift(text + strspn(text, "0123456789"));
	number_read(text, 0, UINT64_MAX, &value);
	if (value > UINT64_MAX >> shift)
		return misused("'%s' is more memory than there can be", text);
	*size = (value << shift) / PAGE_SIZE * PAGE_SIZE;
	return 0;
}

/**
 * amount_memory() - understand how much memory a guest gets
 * @text: as for amount_bytes()
 * @size: receives the bytes, at least one whole page
 *
 * Return: 0, or a negative errno after telling the person.
 */
int amount_memory(const char *text, uint64_t *size)
{
	int error = amount_bytes(text, size);

	if (!error && !*size)
		return misused("'%s' is too small a guest: 64m is a good size", text);
	return error;
}

/**
 * amount_cpus() - understand a number of CPUs
 * @text: digits
 * @cpus: receives the number
 *
 * Return: 0, or a negative errno after telling the person.
 */
int amount_cpus(const char *text, unsigned int *cpus)
{
	uint64_t value;

	if (!number_parse(text, 1, LGUEST_MAX_VCPUS, &value))
		return misused("'%s' is not a number of CPUs that a guest can have: say 1 to %d",
			      text, LGUEST_MAX_VCPUS);
	*cpus = value;
	return 0;
}

/**
 * amount_seconds() - understand an amount of time
 * @text: digits
 * @seconds: receives the number, which is more than 0
 *
 * Return: 0, or a negative errno after telling the person.
 */
int amount_seconds(const char *text, unsigned int *seconds)
{
	uint64_t value;

	if (!number_parse(text, 1, INT_MAX, &value))
		return misused("'%s' is not a number of seconds", text);
	*seconds = value;
	return 0;
}
