// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fields of 9P2000.L messages: a number is little-endian; a text is its length in two
 * bytes, and then its bytes.
 */
#include <errno.h>
#include <string.h>

#include "p9/fields.h"

/**
 * p9_get_rest() - take the next bytes of a request
 * @in: the request
 * @size: how many
 *
 * Return: where they are, or NULL if there are fewer.
 */
const void *p9_get_rest(struct p9_in *in, size_t size)
{
	const void *at = in->at;

	if (size > in->left) {
		in->left = 0;
		in->bad = true;
		return NULL;
	}
	in->at += size;
	in->left -= size;
	return at;
}

/**
 * p9_get() - take the next number of a request
 * @in: the request
 * @bytes: 1, 2, 4 or 8
 *
 * Return: the number.
 */
uint64_t p9_get(struct p9_in *in, unsigned int bytes)
{
	const uint8_t *at = p9_get_rest(in, bytes);
	uint64_t value = 0;

	while (at && bytes--)
		value = value << 8 | at[bytes];
	return value;
}

/**
 * p9_get_text() - take the next text of a request
 * @in: the request; set to bad if the text does not fit or has a 0 in it
 * @text: receives the text, with a 0 at the end
 * @size: bytes of room there
 */
void p9_get_text(struct p9_in *in, char *text, size_t size)
{
	size_t length = p9_get(in, 2);
	const void *at = p9_get_rest(in, length);

	*text = '\0';
	if (!at || length >= size || memchr(at, '\0', length)) {
		in->bad = true;
		return;
	}
	memcpy(text, at, length);
	text[length] = '\0';
}

/**
 * p9_get_name() - take the next text of a request: a file's name in its directory
 * @in: the request
 * @name: receives it
 *
 * Refuse "..", "." and paths: a Linux client resolves them itself.
 *
 * Return: 0, or a negative errno.
 */
int p9_get_name(struct p9_in *in, char name[NAME_MAX + 1])
{
	size_t length = p9_get(in, 2);
	const void *at = p9_get_rest(in, length);

	*name = '\0';
	if (!at)
		return -EINVAL;
	if (length > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, at, length);
	name[length] = '\0';
	if (strlen(name) != length || !length || strchr(name, '/') || !strcmp(name, ".") ||
	    !strcmp(name, ".."))
		return -EINVAL;
	return 0;
}

/**
 * p9_put_room() - get the free room in a reply
 * @out: the reply; the caller adds what it writes to out->size
 * @room: receives the number of bytes
 *
 * Return: where the room begins.
 */
void *p9_put_room(struct p9_out *out, size_t *room)
{
	*room = out->room - out->size;
	return out->start + out->size;
}

/**
 * p9_put() - add a number to a reply
 * @out: the reply
 * @bytes: 1, 2, 4 or 8
 * @value: the number
 */
void p9_put(struct p9_out *out, unsigned int bytes, uint64_t value)
{
	if (bytes > out->room - out->size) {
		out->full = true;
		return;
	}
	p9_put_at(out, out->size, bytes, value);
	out->size += bytes;
}

/**
 * p9_put_at() - change a number in a reply
 * @out: the reply
 * @position: the number's offset
 * @bytes: 1, 2, 4 or 8
 * @value: the number
 */
void p9_put_at(struct p9_out *out, size_t position, unsigned int bytes, uint64_t value)
{
	unsigned int i;

	for (i = 0; i < bytes; i++)
		out->start[position + i] = value >> (8 * i);
}

/**
 * p9_put_text() - add a text to a reply
 * @out: the reply
 * @text: the text
 */
void p9_put_text(struct p9_out *out, const char *text)
{
	size_t length = strlen(text);

	p9_put(out, 2, length);
	if (length > out->room - out->size) {
		out->full = true;
		return;
	}
	memcpy(out->start + out->size, text, length);
	out->size += length;
}

/**
 * p9_put_qid() - add a file's qid to a reply
 * @out: the reply
 * @qid: the qid
 */
void p9_put_qid(struct p9_out *out, const struct p9_qid *qid)
{
	p9_put(out, 1, qid->type);
	p9_put(out, 4, qid->version);
	p9_put(out, 8, qid->path);
}
