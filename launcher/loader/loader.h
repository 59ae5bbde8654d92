/* SPDX-License-Identifier: GPL-2.0-only */
/* What a boot loader does: finds on a guest's disk what the guest starts from. */
#ifndef _LAUNCHER_LOADER_H
#define _LAUNCHER_LOADER_H

#include <stdint.h>

/* found.root: the disk itself, whatever its guest calls it. */
#define LOADER_ROOT_DISK	"disk"

/* Plain data, since it goes from process to process. All texts end with a zero byte. */
struct loader_found {
	char place[64];		/* the part of the disk, for the person */
	char entry[320];	/* what names the kernel, for the person */
	char kernel[256];	/* names in that part's file system */
	char initrd[256];	/* "": there is none */
	char words[2048];	/* for the kernel's command line */
	char root[96];		/* what belongs behind root=, if no word says so; or "" */
};

enum loader_file { LOADER_KERNEL, LOADER_INITRD, LOADER_FILES };

int loader_find(int disk, const char *path, uint64_t most, struct loader_found *found,
		int file[LOADER_FILES]);

#endif /* _LAUNCHER_LOADER_H */
