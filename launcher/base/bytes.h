/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A view of bytes that somebody else owns. Every parser of files reads through bytes_slice()
 * and bytes_take() alone, and so can't leave the file.
 */
#ifndef _LAUNCHER_BYTES_H
#define _LAUNCHER_BYTES_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
	const uint8_t *at;
	size_t size;
};

/**
 * bytes_slice() - part of a view
 * @from: the whole
 * @offset: first byte of the part; any number, since a file may say anything
 * @size: bytes of the part; any number
 * @part: receives the view of the part
 *
 * Return: false if @from does not hold all of the part.
 */
static inline bool bytes_slice(struct bytes from, uint64_t offset, uint64_t size,
			       struct bytes *part)
{
	if (offset > from.size || size > from.size - offset)
		return false;
	part->at = from.at + offset;
	part->size = size;
	return true;
}

/**
 * bytes_take() - cut bytes off the front of a view
 * @from: shrinks by @size
 * @size: how many
 *
 * Return: where they are, or NULL if there are not that many.
 */
static inline const uint8_t *bytes_take(struct bytes *from, uint64_t size)
{
	const uint8_t *at = from->at;

	if (size > from->size)
		return NULL;
	from->at += size;
	from->size -= size;
	return at;
}

/* Numbers at any alignment. */
static inline uint32_t get_le32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return le32toh(value);
}

static inline uint32_t get_be32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return be32toh(value);
}

static inline uint16_t get_be16(const uint8_t *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof(value));
	return be16toh(value);
}

#endif /* _LAUNCHER_BYTES_H */
