// SPDX-License-Identifier: GPL-2.0-only
/*
 * Amounts as a person says them: of memory, CPUs and time.
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "amount.h"
#include "lguest_uapi.h"
#include "memory.h"
#include "message.h"
#include "number.h"

/**
 * amount_memory() - understand an amount of memory
 * @text: digits and one of k, m, g; none means MiB
 * @size: bytes, whole pages, go there
 *
 * Return: 0, or a negative errno after telling the person.
 */
int amount_memory(const char *text, uint64_t *size)
{
	const char *units = "kmg", *unit = units + 1;
	uint64_t value = UINT64_MAX;	/* if it is larger */
	const char *end = number_read(text, 0, UINT64_MAX, &value);
	unsigned int shift;

	if (end && *end)
		unit = strchr(units, tolower((unsigned char)*end++));
	if (!isdigit((unsigned char)*text) || !unit || (end && *end))
		return refuse(-EINVAL,
			      "'%s' is not an amount of memory: say 64m, 2g or a number of MiB",
			      text);
	shift = 10 * (1 + (unit - units));
	if (value > UINT64_MAX >> shift)
		return refuse(-ERANGE, "'%s' is more memory than there can be", text);
	*size = (value << shift) / PAGE_SIZE * PAGE_SIZE;
	if (!*size)
		return refuse(-EINVAL, "'%s' is too small a guest: 64m is a good size", text);
	return 0;
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
		return refuse(-EINVAL,
			      "'%s' is not a number of CPUs that a guest can have: say 1 to %d",
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
		return refuse(-EINVAL, "'%s' is not a number of seconds", text);
	*seconds = value;
	return 0;
}
