// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walking over buffers: a driver may cut a request into pieces as it likes
 * (virtio 1.2, section 2.7.4), so devices see streams of bytes.
 */
#include <string.h>

#include "virtio/virtio.h"

/**
 * iov_size() - bytes in all buffers together
 * @iov: the buffers
 * @count: how many
 *
 * Return: that number; it fits, as there are few buffers of 32-bit size.
 */
size_t iov_size(const struct iovec *iov, unsigned int count)
{
	size_t size = 0;

	while (count--)
		size += iov++->iov_len;
	return size;
}

/* Take up to *size bytes off the front of the first buffer that has any. */
static void *take(struct iovec **iov, unsigned int *count, size_t *size)
{
	struct iovec *first = *iov;
	void *at = first->iov_base;

	if (*size > first->iov_len)
		*size = first->iov_len;
	first->iov_base = (char *)first->iov_base + *size;
	first->iov_len -= *size;
	if (!first->iov_len) {
		(*iov)++;
		(*count)--;
	}
	return at;
}

/**
 * iov_read() - copy from the front of buffers, and cut it off
 * @iov: the buffers; moves on
 * @count: how many; shrinks
 * @to: where the bytes go
 * @size: how many bytes
 *
 * Return: bytes copied; less than @size if there were no more.
 */
size_t iov_read(struct iovec **iov, unsigned int *count, void *to, size_t size)
{
	size_t done = 0;

	while (done < size && *count) {
		size_t part = size - done;
		const void *at = take(iov, count, &part);

		memcpy((char *)to + done, at, part);
		done += part;
	}
	return done;
}

/**
 * iov_write() - copy to the front of buffers, and cut it off
 * @iov: the buffers; moves on
 * @count: how many; shrinks
 * @from: the bytes
 * @size: how many bytes
 *
 * Return: bytes copied; less than @size if there was no more room.
 */
size_t iov_write(struct iovec **iov, unsigned int *count, const void *from, size_t size)
{
	size_t done = 0;

	while (done < size && *count) {
		size_t part = size - done;
		void *at = take(iov, count, &part);

		memcpy(at, (const char *)from + done, part);
		done += part;
	}
	return done;
}

/**
 * iov_skip() - cut off the front of buffers
 * @iov: the buffers; moves on
 * @count: how many; shrinks
 * @size: how many bytes; no more than there are
 */
void iov_skip(struct iovec **iov, unsigned int *count, size_t size)
{
	while (size && *count) {
		size_t part = size;

		take(iov, count, &part);
		size -= part;
	}
}

/**
 * iov_cut_tail() - cut the last byte off
 * @iov: the buffers
 * @count: how many; shrinks if the last one is used up
 * @tail: where that byte is
 *
 * Return: 1, or 0 if there is no byte.
 */
size_t iov_cut_tail(struct iovec *iov, unsigned int *count, void **tail)
{
	while (*count && !iov[*count - 1].iov_len)
		(*count)--;
	if (!*count)
		return 0;
	iov += *count - 1;
	*tail = (char *)iov->iov_base + --iov->iov_len;
	if (!iov->iov_len)
		(*count)--;
	return 1;
}
