// SPDX-License-Identifier: GPL-2.0-only
/*
 * vcpus: a VM with vCPUs 0 to 2, which have done 1000, 2000 and 3000 hypercalls that do
 * nothing. Prints "here" and lives until it is killed, so that its counters can be read.
 */
#include <stdio.h>
#include <unistd.h>

#include "guest.h"

#define VCPUS	3
#define CALLS	1000

static void guest_calls(uint64_t times)
{
	while (times--)
		guest_call(LHCALL_FLUSH_ASYNC, 0, 0, 0, 0);
}

int main(void)
{
	static struct guest guest;
	unsigned int i;

	if (!guest_make(&guest, VCPUS))
		return 1;
	for (i = 0; i < VCPUS; i++)
		if (!guest_start(&guest.vcpu[i], guest_calls, (i + 1) * CALLS) ||
		    !guest_finishes(&guest.vcpu[i]))
			return 1;
	printf("here\n");
	fflush(stdout);
	for (;;)
		pause();
}
