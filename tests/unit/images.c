// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kernels made up for tests: small, but with everything that the launcher looks at.
 * They are compressed in the same ways as the kernel's build does it.
 */
#include <asm/bootparam.h>
#include <bzlib.h>
#include <lz4.h>
#include <lzma.h>
#include <lzo/lzo1x.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "images.h"
#include "lguest_abi.h"
#include "unit.h"

const char * const image_format_names[IMAGE_FORMATS] = {
	"gzip", "bzip2", "lzma", "xz", "lzo", "lz4", "zstd",
};

void image_free(struct bytes image)
{
	free((void *)image.at);
}

void image_write(const char *path, struct bytes image)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(image.at, 1, image.size, file), image.size);
	fclose(file);
}

/* Copy bytes to memory of exactly that size, so that ASan sees each access outside. */
struct bytes image_copy(struct bytes from, size_t size)
{
	uint8_t *at = malloc(size ? size : 1);

	ck_assert_ptr_nonnull(at);
	memcpy(at, from.at, size);
	return (struct bytes){ at, size };
}

static void put_phdr(Elf64_Phdr *phdr, uint32_t type, uint64_t offset, uint64_t size)
{
	phdr->p_type = type;
	phdr->p_offset = offset;
	phdr->p_filesz = size;
	phdr->p_memsz = size;
}

static void put_note(Elf64_Nhdr *header, const char *name, uint32_t type, uint32_t size)
{
	memcpy(header + 1, name, strlen(name) + 1);
	header->n_namesz = strlen(name) + 1;
	header->n_type = type;
	header->n_descsz = size;
}

/* Make up text that compresses, but not too well. */
static void put_text(uint8_t *at, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		at[i] = i % 16 < 4 ? unit_random() : i >> 8;
}

/* A vmlinux: headers, notes, then text and data, which end the file. */
struct bytes image_elf(size_t text_size, uint32_t abi)
{
	const size_t data_size = 512;
	size_t size = sizeof(struct image_head) + text_size + data_size;
	struct image_head *head = calloc(1, size);
	uint64_t entry = IMAGE_ENTRY;

	ck_assert_ptr_nonnull(head);
	memcpy(head->ehdr.e_ident, ELFMAG, SELFMAG);
	head->ehdr.e_ident[EI_CLASS] = ELFCLASS64;
	head->ehdr.e_ident[EI_DATA] = ELFDATA2LSB;
	head->ehdr.e_type = ET_EXEC;
	head->ehdr.e_machine = EM_X86_64;
	head->ehdr.e_phoff = offsetof(struct image_head, phdr);
	head->ehdr.e_phentsize = sizeof(Elf64_Phdr);
	head->ehdr.e_phnum = IMAGE_PHDRS;
	put_phdr(&head->phdr[0], PT_LOAD, sizeof(*head), text_size);
	head->phdr[0].p_paddr = IMAGE_TEXT_GPA;
	put_phdr(&head->phdr[1], PT_LOAD, sizeof(*head) + text_size, data_size);
	head->phdr[1].p_paddr = IMAGE_DATA_GPA + text_size;
	head->phdr[1].p_memsz += IMAGE_BSS_SIZE;
	put_phdr(&head->phdr[2], PT_NOTE, offsetof(struct image_head, other),
		 sizeof(head->other) + sizeof(head->entry) + sizeof(head->abi));
	put_note(&head->other.header, "Linux", 1, 5);
	put_note(&head->entry.header, LGUEST_ELFNOTE_NAME, LGUEST_ELFNOTE_ENTRY, 8);
	memcpy(head->entry.contents, &entry, 8);
	put_note(&head->abi.header, LGUEST_ELFNOTE_NAME, LGUEST_ELFNOTE_ABI, 8);
	memcpy(head->abi.contents, &abi, 4);
	put_text((uint8_t *)(head + 1), text_size + data_size);
	return (struct bytes){ (uint8_t *)head, size };
}

/* The same with a distribution's notes: ENTRY, VIRT_BASE and PADDR_OFFSET of Xen's. */
struct bytes image_xen_elf(size_t text_size)
{
	static const uint64_t contents[IMAGE_XEN_NOTES] = { IMAGE_ENTRY, 0xffffffff80000000, 0 };
	static const uint32_t type[IMAGE_XEN_NOTES] = { 1, 3, 4 };
	struct bytes image = image_elf(text_size, 0);
	struct image_head *head = (struct image_head *)image.at;
	struct image_xen_note *note = (struct image_xen_note *)&head->other;
	int i;

	_Static_assert(sizeof(head->other) + sizeof(head->entry) + sizeof(head->abi) >=
		       IMAGE_XEN_NOTES * sizeof(*note), "there is room for them");
	for (i = 0; i < IMAGE_XEN_NOTES; i++) {
		note[i].header = (Elf64_Nhdr){ 4, 8, type[i] };
		memcpy(note[i].name, "Xen", 4);
		note[i].contents = contents[i];
	}
	head->phdr[2].p_filesz = IMAGE_XEN_NOTES * sizeof(*note);
	return image;
}

static size_t pack_gzip(struct bytes from, uint8_t *to, size_t room)
{
	z_stream stream = { .next_in = (Bytef *)from.at, .avail_in = from.size,
			    .next_out = to, .avail_out = room };

	ck_assert_int_eq(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY),
			 Z_OK);
	ck_assert_int_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
	deflateEnd(&stream);
	return stream.total_out;
}

static size_t pack_bzip2(struct bytes from, uint8_t *to, size_t room)
{
	unsigned int size = room;

	ck_assert_int_eq(BZ2_bzBuffToBuffCompress((char *)to, &size, (char *)from.at, from.size, 9,
						  0, 0), BZ_OK);
	return size;
}

static size_t finish_lzma(lzma_stream *stream, struct bytes from, uint8_t *to, size_t room)
{
	stream->next_in = from.at;
	stream->avail_in = from.size;
	stream->next_out = to;
	stream->avail_out = room;
	ck_assert_int_eq(lzma_code(stream, LZMA_FINISH), LZMA_STREAM_END);
	lzma_end(stream);
	return stream->total_out;
}

static size_t pack_lzma(struct bytes from, uint8_t *to, size_t room)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	lzma_options_lzma options;

	lzma_lzma_preset(&options, 1);
	ck_assert_int_eq(lzma_alone_encoder(&stream, &options), LZMA_OK);
	return finish_lzma(&stream, from, to, room);
}

/* scripts/xz_wrap.sh: the x86 filter, LZMA2, CRC32. */
static size_t pack_xz(struct bytes from, uint8_t *to, size_t room)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	lzma_options_lzma options;
	lzma_filter filters[] = {
		{ LZMA_FILTER_X86, NULL },
		{ LZMA_FILTER_LZMA2, &options },
		{ LZMA_VLI_UNKNOWN, NULL },
	};

	lzma_lzma_preset(&options, 1);
	ck_assert_int_eq(lzma_stream_encoder(&stream, filters, LZMA_CHECK_CRC32), LZMA_OK);
	return finish_lzma(&stream, from, to, room);
}

static uint8_t *put_be32(uint8_t *at, uint32_t value)
{
	value = htobe32(value);
	memcpy(at, &value, 4);
	return at + 4;
}

/* The output of lzop 1.04: version 0x1040, level 9, checksums of the contents. */
static size_t pack_lzo(struct bytes from, uint8_t *to, size_t room)
{
	static const uint8_t header[] = {
		0x89, 'L', 'Z', 'O', 0, '\r', '\n', 0x1a, '\n',
		0x10, 0x40, 0x20, 0xa0, 0x09, 0x40, 3, 9,
		0x03, 0, 0, 1,			/* flags: Unix, ADLER32 */
		0, 0, 0x81, 0xa4, 0, 0, 0, 0, 0, 0, 0, 0,
		1, 'v',				/* the name */
		0, 0, 0, 0,			/* checksum, which nobody checks */
	};
	const size_t block = 256 << 10;
	uint8_t *work = malloc(LZO1X_1_MEM_COMPRESS), *at = to, *sums;
	lzo_uint packed;

	(void)room;
	ck_assert_int_eq(lzo_init(), LZO_E_OK);
	memcpy(at, header, sizeof(header));
	at += sizeof(header);
	while (from.size) {
		size_t size = from.size < block ? from.size : block;
		uint8_t *start = at;

		sums = start + 8;
		at = put_be32(sums, lzo_adler32(lzo_adler32(0, NULL, 0), from.at, size));
		ck_assert_int_eq(lzo1x_1_compress(from.at, size, at, &packed, work), LZO_E_OK);
		if (packed >= size) {
			memcpy(at, from.at, size);
			packed = size;
		}
		put_be32(put_be32(start, size), packed);
		at += packed;
		bytes_take(&from, size);
	}
	at = put_be32(at, 0);
	free(work);
	return at - to;
}

/* lz4 -l: blocks of 8 MiB. */
static size_t pack_lz4(struct bytes from, uint8_t *to, size_t room)
{
	static const uint8_t magic[4] = { 0x02, 0x21, 0x4c, 0x18 };
	const size_t block = 8 << 20;
	uint8_t *at = to + sizeof(magic);

	memcpy(to, magic, sizeof(magic));
	while (from.size) {
		size_t size = from.size < block ? from.size : block;
		uint32_t packed;

		packed = LZ4_compress_default((char *)from.at, (char *)at + 4, size,
					      to + room - at - 4);
		ck_assert_uint_gt(packed, 0);
		memcpy(at, &packed, 4);
		at += 4 + packed;
		bytes_take(&from, size);
	}
	return at - to;
}

static size_t pack_zstd(struct bytes from, uint8_t *to, size_t room)
{
	size_t size = ZSTD_compress(to, room, from.at, from.size, 3);

	ck_assert(!ZSTD_isError(size));
	return size;
}

static size_t (* const packers[IMAGE_FORMATS])(struct bytes from, uint8_t *to, size_t room) = {
	pack_gzip, pack_bzip2, pack_lzma, pack_xz, pack_lzo, pack_lz4, pack_zstd,
};

/* Return: a packed payload, with the unpacked size at its end. */
struct bytes image_pack(enum image_format format, struct bytes elf)
{
	size_t room = elf.size * 2 + 4096, size;
	uint8_t *to = malloc(room);
	uint32_t length = elf.size;

	ck_assert_ptr_nonnull(to);
	size = packers[format](elf, to, room - 4);
	if (format != GZIP) {
		memcpy(to + size, &length, 4);
		size += 4;
	}
	return (struct bytes){ to, size };
}

/* Four sectors of set-up code after the first one, the kernel, some more bytes. */
struct bytes image_bzimage(enum image_format format, struct bytes elf)
{
	struct bytes payload = image_pack(format, elf);
	const size_t trailer = 32;
	size_t size = IMAGE_PAYLOAD_OFFSET + payload.size + trailer;
	uint8_t *at = calloc(1, size);
	struct setup_header header = {
		.setup_sects = 4,
		.boot_flag = 0xaa55,
		.jump = 0xeb | (sizeof(header) - 0x11) << 8,
		.header = 0x53726448,
		.version = 0x020f,
		.loadflags = LOADED_HIGH,
		.kernel_alignment = 0x200000,
		.initrd_addr_max = 0x7fffffff,
		.cmdline_size = 2047,
		.payload_offset = 64,
		.payload_length = payload.size,
		.pref_address = IMAGE_TEXT_GPA,
	};

	ck_assert_ptr_nonnull(at);
	memcpy(at + 0x1f1, &header, sizeof(header));
	memcpy(at + IMAGE_PAYLOAD_OFFSET, payload.at, payload.size);
	image_free(payload);
	return (struct bytes){ at, size };
}
