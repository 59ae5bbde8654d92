// SPDX-License-Identifier: GPL-2.0-only
/*
 * clocks [TIMES [GAP-MS]]: wall clock and monotonic time in nanoseconds, a line
 * each time. clock.sh runs it in the guest and on the host.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static long long now(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

int main(int argc, char **argv)
{
	int times = argc > 1 ? atoi(argv[1]) : 1;
	int gap = argc > 2 ? atoi(argv[2]) : 100;

	while (times-- > 0) {
		printf("%lld %lld\n", now(CLOCK_REALTIME), now(CLOCK_MONOTONIC));
		fflush(stdout);
		if (times)
			usleep(gap * 1000);
	}
	return 0;
}
