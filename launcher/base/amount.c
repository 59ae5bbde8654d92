// SPDX-License-Identifier: GPL-2.0-only
/*
 * Amounts as a person says them: of memory, CPUs and time.
 */
#include <ctype.h>
#include <limits.h>
#include <string.h>

#include "base/amount.h"
#include "lguest_uapi.h"
#include "memory.h"
#include "base/message.h"
#include "base/number.h"

/* Behind the digits: a unit, or nothing. Return: the shift to bytes, or -1. */
static int unit_shift(const char *unit)
{
	static const char units[] = "kmg";
	const char *found = *unit ? strchr(units, tolower((unsigned char)*unit)) : units + 1;

	if (!found || (*unit && unit[1]))
		return -1;
	return 10 * (1 + (found - units));
}

/**
 * amount_looks_like() - does a person mean an amount of memory by it?
 * @text: a word
 *
 * Return: true for digits and perhaps one of k, m, g.
 */
bool amount_looks_like(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits && unit_shift(text + digits) > 0;
}

/**
 * amount_bytes() - understand an amount of memory, which may be nothing
 * @text: digits and one of k, m, g; none means MiB
 * @size: bytes, whole pages, go there
 *
 * Return: 0, or a negative errno after telling the person.
 */
int amount_bytes(const char *text, uint64_t *size)
{
	uint64_t value = UINT64_MAX;	/* if it is larger */
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
 * amount_memory() - understand how much memory a Guest is to have
 * @text: as for amount_bytes()
 * @size: bytes, whole pages, at least one, go there
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
 * @cpus: goes there
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
 * @seconds: goes there, more than 0
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
