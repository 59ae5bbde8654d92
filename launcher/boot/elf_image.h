/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel itself: an ELF file with notes for us. */
#ifndef _LAUNCHER_ELF_IMAGE_H
#define _LAUNCHER_ELF_IMAGE_H

#include "base/bytes.h"

#define ELF_MAX_SEGMENTS	32

/* One part of the file, and the part of guest memory that it goes to. */
struct elf_segment {
	struct bytes contents;
	uint64_t gpa;
	uint64_t size;	/* in guest memory; zero follows the contents */
};

struct elf_image {
	unsigned int segments;
	struct elf_segment segment[ELF_MAX_SEGMENTS];
	uint64_t start;		/* lowest guest physical address used */
	uint64_t end;		/* first one after all segments */
	/* guest virtual addresses, from notes; 0: it does not speak that ABI. */
	uint64_t entry;		/* of lguest's ABI */
	uint64_t xen_entry;	/* of Xen's */
};

bool elf_probe(struct bytes file);
bool elf_segment_fits(uint64_t gpa, uint64_t size);
void elf_segment_added(struct elf_image *image);
int elf_parse(const char *path, struct bytes file, struct elf_image *image);

#endif /* _LAUNCHER_ELF_IMAGE_H */
