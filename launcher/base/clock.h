/* SPDX-License-Identifier: GPL-2.0-only */
/* Time that passes evenly, even if somebody sets the host's clock. */
#ifndef _LAUNCHER_CLOCK_H
#define _LAUNCHER_CLOCK_H

#include <stdint.h>
#include <time.h>

/**
 * now_ms() - what time is it?
 *
 * Return: milliseconds of CLOCK_MONOTONIC.
 */
static inline int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

#endif /* _LAUNCHER_CLOCK_H */
