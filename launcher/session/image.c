// SPDX-License-Identifier: GPL-2.0-only
/*
 * The initrd of a guest of "lguest run": an archive in memory with one program,
 * session/init/run_init.c, which the Makefile builds into the launcher.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "session/cpio.h"
#include "base/message.h"
#include "session/image.h"

__asm__(".section .rodata\n"
	"run_init_start: .incbin \"" RUN_INIT "\"\n"
	"run_init_end:\n"
	".previous\n");
extern const uint8_t run_init_start[], run_init_end[];

/**
 * run_image() - make the initrd of a guest of "lguest run"
 *
 * Return: a descriptor of the archive, or a negative errno after telling the person.
 */
int run_image(void)
{
	int fd = memfd_create("lguest-run", MFD_CLOEXEC);
	FILE *archive = fd < 0 ? NULL : fdopen(fd, "w");
	int result = -1;

	if (archive) {
		cpio_add(archive, "init", S_IFREG | 0755, run_init_start,
			 run_init_end - run_init_start);
		cpio_end(archive);
		if (!fflush(archive) && !ferror(archive))
			result = dup(fd);
	}
	if (result < 0)
		refuse(-errno, "no memory for the guest's init: %s", strerror(errno));
	if (archive)
		fclose(archive);
	else if (fd >= 0)
		close(fd);
	return result < 0 ? -ENOMEM : result;
}
