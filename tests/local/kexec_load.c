// SPDX-License-Identifier: GPL-2.0-only
/*
 * Load one page as the next kernel, and say how that went. Of a kernel that can do it,
 * run by root: "loaded"; else the error.
 */
#include <errno.h>
#include <linux/kexec.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define WHERE	(16UL << 20)	/* of memory, as good as any other place */

static char page[4096] __attribute__((aligned(4096)));

int main(void)
{
	struct kexec_segment segment = {
		.buf	= page,
		.bufsz	= sizeof(page),
		.mem	= (void *)WHERE,
		.memsz	= sizeof(page),
	};
	long failed = syscall(SYS_kexec_load, WHERE, 1, &segment, KEXEC_ARCH_X86_64);

	printf("kexec_load: %s\n", failed ? strerror(errno) : "loaded");
	return 0;
}
