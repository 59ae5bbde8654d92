/* SPDX-License-Identifier: GPL-2.0-only */
/* Kernels made up for tests: small, but with everything that the launcher looks at. */
#ifndef _IMAGES_H
#define _IMAGES_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum image_format { GZIP, BZIP2, LZMA, XZ, LZO, LZ4, ZSTD, IMAGE_FORMATS };
extern const char * const image_format_names[IMAGE_FORMATS];

/* The layout of the ELF file of image_elf(). */
#define IMAGE_PHDRS		3	/* load, load with bss, notes */
#define IMAGE_TEXT_GPA		0x1000000ULL
#define IMAGE_DATA_GPA		0x1200000ULL
#define IMAGE_BSS_SIZE		0x3000
#define IMAGE_ENTRY		0xffffffff81000123ULL

/* The ELF file's fixed beginning. */
struct image_head {
	Elf64_Ehdr ehdr;
	Elf64_Phdr phdr[IMAGE_PHDRS];
	struct {
		Elf64_Nhdr header;
		char name[8];
		uint8_t contents[8];
	} other, entry, abi;
};

/* The notes of image_xen_elf(), which has them in place of the others. */
#define IMAGE_XEN_NOTES	3

struct image_xen_note {
	Elf64_Nhdr header;
	char name[4];
	uint64_t contents;
} __attribute__((packed));

/* All return memory that the caller frees. */
struct bytes image_elf(size_t text_size, uint32_t abi);
struct bytes image_xen_elf(size_t text_size);
struct bytes image_pack(enum image_format format, struct bytes elf);
struct bytes image_bzimage(enum image_format format, struct bytes elf);
struct bytes image_copy(struct bytes from, size_t size);
void image_free(struct bytes image);
/* Into the file @path. */
void image_write(const char *path, struct bytes image);

/* Where in the file of image_bzimage() the payload starts. */
#define IMAGE_PAYLOAD_OFFSET	(5 * 512 + 64)

#endif /* _IMAGES_H */
