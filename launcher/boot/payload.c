// SPDX-License-Identifier: GPL-2.0-only
/*
 * The compressed kernel inside a bzImage, in one of seven formats. A library
 * unpacks each.
 *
 * In every format the last four bytes of the payload say how long its contents
 * are: gzip ends with that number, and the kernel's build adds it after the
 * others (scripts/Makefile.lib: size_append).  So the buffer has the right size
 * from the start, and contents of any other size are corrupt.
 */
#include <bzlib.h>
#include <errno.h>
#include <lz4.h>
#include <lzma.h>
#include <lzo/lzo1x.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "base/compiler.h"
#include "base/message.h"
#include "boot/payload.h"

#define SIZE_FIELD	4

/* The kernel's build allows xz and lzma dictionaries of 128 MiB at most. */
#define LZMA_MEMORY	(256ULL << 20)

/* One format. undo() returns true if it has filled all of @to. */
struct payload_format {
	const char *name;
	uint8_t magic[9];
	uint8_t magic_size;
	bool (*undo)(struct bytes from, uint8_t *to, size_t size);
};

static bool undo_gzip(struct bytes from, uint8_t *to, size_t size)
{
	z_stream stream = {
		.next_in = (Bytef *)from.at,
		.avail_in = from.size,
		.next_out = to,
		.avail_out = size,
	};
	int result;

	/* A window of 15 bits; plus 16 means gzip. */
	if (inflateInit2(&stream, 15 + 16) != Z_OK)
		return false;
	result = inflate(&stream, Z_FINISH);
	inflateEnd(&stream);
	return result == Z_STREAM_END && stream.total_out == size;
}

static bool undo_bzip2(struct bytes from, uint8_t *to, size_t size)
{
	unsigned int written = size;
	int result;

	result = BZ2_bzBuffToBuffDecompress((char *)to, &written, (char *)from.at,
					    from.size, 0, 0);
	return result == BZ_OK && written == size;
}

static bool undo_lzma_stream(lzma_stream *stream, struct bytes from, uint8_t *to, size_t size)
{
	lzma_ret result;

	stream->next_in = from.at;
	stream->avail_in = from.size;
	stream->next_out = to;
	stream->avail_out = size;
	result = lzma_code(stream, LZMA_FINISH);
	lzma_end(stream);
	/*
	 * An .lzma file may have no end mark: then liblzma says LZMA_OK when the
	 * buffer is full.
	 */
	return (result == LZMA_STREAM_END || result == LZMA_OK) && stream->total_out == size;
}

static bool undo_xz(struct bytes from, uint8_t *to, size_t size)
{
	lzma_stream stream = LZMA_STREAM_INIT;

	if (lzma_stream_decoder(&stream, LZMA_MEMORY, 0) != LZMA_OK)
		return false;
	return undo_lzma_stream(&stream, from, to, size);
}

static bool undo_lzma(struct bytes from, uint8_t *to, size_t size)
{
	lzma_stream stream = LZMA_STREAM_INIT;

	if (lzma_alone_decoder(&stream, LZMA_MEMORY) != LZMA_OK)
		return false;
	return undo_lzma_stream(&stream, from, to, size);
}

/* The legacy frame: blocks of 8 MiB, each with its compressed size before it. */
static bool undo_lz4(struct bytes from, uint8_t *to, size_t size)
{
	const size_t block = 8 << 20;

	bytes_take(&from, SIZE_FIELD);	/* the magic number */
	while (size) {
		size_t room = size < block ? size : block;
		const uint8_t *field, *packed;
		uint32_t packed_size;
		int written;

		field = bytes_take(&from, SIZE_FIELD);
		if (!field)
			return false;
		packed_size = get_le32(field);
		packed = bytes_take(&from, packed_size);
		if (!packed || packed_size > INT32_MAX)
			return false;
		written = LZ4_decompress_safe((const char *)packed, (char *)to, packed_size, room);
		if (written <= 0)
			return false;
		to += written;
		size -= written;
	}
	return true;
}

/* lzop's flags: the checksums of its blocks, and the fields of its header. */
#define LZOP_ADLER32		0x0001
#define LZOP_ADLER32_PACKED	0x0002
#define LZOP_EXTRA_FIELD	0x0040
#define LZOP_CRC32		0x0100
#define LZOP_CRC32_PACKED	0x0200
#define LZOP_FILTER		0x0800

#define LZOP_MAGIC_SIZE		9
#define LZOP_BLOCK_MAX		(64U << 20)

/* lzop's header, of which only the flags matter. */
static bool lzop_header(struct bytes *from, uint32_t *flags)
{
	const uint8_t *version, *field;
	bool modern;

	bytes_take(from, LZOP_MAGIC_SIZE);
	version = bytes_take(from, 2);
	if (!version)
		return false;
	modern = get_be16(version) >= 0x0940;
	/* The library's version; if modern, the version needed and the level; the method. */
	if (!bytes_take(from, modern ? 6 : 3))
		return false;
	field = bytes_take(from, 4);
	if (!field)
		return false;
	*flags = get_be32(field);
	if (*flags & LZOP_EXTRA_FIELD)
		return false;
	if ((*flags & LZOP_FILTER) && !bytes_take(from, 4))
		return false;
	/* Mode, time, length of the name, the name, the header's checksum. */
	if (!bytes_take(from, modern ? 12 : 8))
		return false;
	field = bytes_take(from, 1);
	return field && bytes_take(from, *field + 4);
}

/* Unpack one block of lzop. Return: bytes of contents; 0: it is corrupt. */
static size_t lzop_block(struct bytes *from, uint32_t flags, uint8_t *to, size_t size)
{
	const uint8_t *field, *sum = NULL, *packed;
	uint32_t unpacked_size, packed_size;
	lzo_uint written = size;

	field = bytes_take(from, 8);
	if (!field)
		return 0;
	unpacked_size = get_be32(field);
	packed_size = get_be32(field + 4);
	if (!unpacked_size || unpacked_size > size || unpacked_size > LZOP_BLOCK_MAX ||
	    packed_size > unpacked_size)
		return 0;
	if (flags & LZOP_ADLER32) {
		sum = bytes_take(from, 4);
		if (!sum)
			return 0;
	}
	if ((flags & LZOP_CRC32) && !bytes_take(from, 4))
		return 0;
	if (packed_size < unpacked_size) {
		if ((flags & LZOP_ADLER32_PACKED) && !bytes_take(from, 4))
			return 0;
		if ((flags & LZOP_CRC32_PACKED) && !bytes_take(from, 4))
			return 0;
	}
	packed = bytes_take(from, packed_size);
	if (!packed)
		return 0;
	if (packed_size == unpacked_size) {	/* did not shrink: stored unpacked */
		memcpy(to, packed, packed_size);
	} else if (lzo1x_decompress_safe(packed, packed_size, to, &written, NULL) != LZO_E_OK ||
		   written != unpacked_size) {
		return 0;
	}
	if (sum && lzo_adler32(lzo_adler32(0, NULL, 0), to, unpacked_size) != get_be32(sum))
		return 0;
	return unpacked_size;
}

static bool undo_lzo(struct bytes from, uint8_t *to, size_t size)
{
	uint32_t flags;

	if (lzo_init() != LZO_E_OK || !lzop_header(&from, &flags))
		return false;
	while (size) {
		size_t written = lzop_block(&from, flags, to, size);

		if (!written)
			return false;
		to += written;
		size -= written;
	}
	return true;
}

static bool undo_zstd(struct bytes from, uint8_t *to, size_t size)
{
	return ZSTD_decompress(to, size, from.at, from.size) == size;
}

static const struct payload_format payload_formats[] = {
	{ "gzip",  { 0x1f, 0x8b, 8 }, 3, undo_gzip },
	{ "bzip2", { 'B', 'Z', 'h' }, 3, undo_bzip2 },
	{ "lzma",  { 0x5d, 0, 0 }, 3, undo_lzma },
	{ "xz",    { 0xfd, '7', 'z', 'X', 'Z', 0 }, 6, undo_xz },
	{ "lzo",   { 0x89, 'L', 'Z', 'O', 0, '\r', '\n', 0x1a, '\n' }, LZOP_MAGIC_SIZE, undo_lzo },
	{ "lz4",   { 0x02, 0x21, 0x4c, 0x18 }, 4, undo_lz4 },
	{ "zstd",  { 0x28, 0xb5, 0x2f, 0xfd }, 4, undo_zstd },
};

static const struct payload_format *payload_format(struct bytes packed)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(payload_formats); i++) {
		const struct payload_format *format = &payload_formats[i];

		if (packed.size >= format->magic_size &&
		    !memcmp(packed.at, format->magic, format->magic_size))
			return format;
	}
	return NULL;
}

/**
 * payload_unpack() - undo the compression of a bzImage's payload
 * @path: the bzImage's name for the person
 * @packed: the payload, with the four bytes of size at its end
 * @unpacked: on success, memory that the caller frees
 *
 * Return: 0, or a negative errno after telling the person.
 */
int payload_unpack(const char *path, struct bytes packed, struct bytes *unpacked)
{
	const struct payload_format *format = payload_format(packed);
	uint8_t *buffer;
	uint32_t size;

	if (!format || packed.size < (size_t)format->magic_size + SIZE_FIELD)
		return refuse(-EINVAL,
			      "the kernel '%s' is corrupt: its payload has no known compression",
			      path);
	size = get_le32(packed.at + packed.size - SIZE_FIELD);
	if (size == 0 || size > PAYLOAD_MAX)
		return refuse(-EINVAL,
			      "the kernel '%s' is corrupt: its payload can't be %u bytes long",
			      path, size);
	if (format->undo != undo_gzip)
		packed.size -= SIZE_FIELD;

	buffer = malloc(size);
	if (!buffer)
		return refuse(-ENOMEM, "no memory to unpack the kernel '%s': %u MiB", path,
			      size >> 20);
	if (!format->undo(packed, buffer, size)) {
		free(buffer);
		return refuse(-EINVAL, "the kernel '%s' is corrupt: its %s payload does not unpack",
			      path, format->name);
	}
	detail("%s: %s payload of %zu KiB, %u KiB unpacked", path, format->name, packed.size >> 10,
	       size >> 10);
	unpacked->at = buffer;
	unpacked->size = size;
	return 0;
}
