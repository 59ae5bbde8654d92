// SPDX-License-Identifier: GPL-2.0-only
/* A client of the server of shared directories, for tests: sends any request. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "p9_client.h"
#include "unit.h"

#define TAG	7	/* of each message */

struct p9_server server;
char top[64], shared[80];
uint8_t reply[P9_MAX_MESSAGE];
struct p9_in answer;

const char *path(const char *format, ...)
{
	static char text[4][512], *at;
	static unsigned int next;
	va_list list;
	int used;

	at = text[next++ % 4];
	used = sprintf(at, "%s/", top);
	va_start(list, format);
	vsprintf(at + used, format, list);
	va_end(list);
	return at;
}

/* Make a message. In @fields 1, 2, 4 and 8 stand for a number of so many bytes, s for a text. */
size_t make_message(uint8_t *message, unsigned int type, const char *fields, va_list list)
{
	struct p9_out out = { .start = message, .room = P9_MAX_MESSAGE };

	p9_put(&out, 4, 0);
	p9_put(&out, 1, type);
	p9_put(&out, 2, TAG);
	for (; *fields; fields++) {
		if (*fields == 's')
			p9_put_text(&out, va_arg(list, const char *));
		else
			p9_put(&out, *fields - '0', va_arg(list, uint64_t));
	}
	p9_put_at(&out, 0, 4, out.size);
	return out.size;
}

/* Send a request. Return: 0, or the negative errno of its reply. */
int ask(unsigned int type, const char *fields, ...)
{
	static uint8_t message[P9_MAX_MESSAGE];
	size_t size, got;
	va_list list;
	unsigned int answered;

	va_start(list, fields);
	size = make_message(message, type, fields, list);
	va_end(list);
	got = p9_serve(&server, message, size, reply, sizeof(reply));
	ck_assert_uint_ge(got, P9_HEADER);
	answer = (struct p9_in) { .at = reply, .left = got };
	ck_assert_uint_eq(p9_get(&answer, 4), got);
	answered = p9_get(&answer, 1);
	ck_assert_uint_eq(p9_get(&answer, 2), TAG);
	if (answered == P9_RLERROR)
		return -(int)p9_get(&answer, 4);
	ck_assert_uint_eq(answered, type + 1);
	return 0;
}

void write_file(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* Share the directory top/shared as fid 0; top/secret lies outside. */
void begin_sharing(bool read_only)
{
	strcpy(top, unit_directory());
	snprintf(shared, sizeof(shared), "%s/shared", top);
	ck_assert_int_eq(mkdir(shared, 0755), 0);
	write_file(path("secret"), "secret");
	ck_assert_int_eq(p9_server_init(&server, shared, read_only), 0);
	p9_thread_init();
	ck_assert_int_eq(ask(P9_TVERSION, "4s", N(P9_MAX_MESSAGE), "9P2000.L"), 0);
	ck_assert_int_eq(ask(P9_TATTACH, "44ss4", N(0), N(P9_NOFID), "", "", N(getuid())), 0);
}

void end_sharing(void)
{
	p9_server_exit(&server);
	ck_assert_uint_eq(p9_fids.taken, 0);
}

int walk(unsigned int from, unsigned int to, const char *name)
{
	return ask(P9_TWALK, "442s", N(from), N(to), N(1), name);
}

int walk2(unsigned int from, unsigned int to, const char *name, const char *name2)
{
	int error = ask(P9_TWALK, "442ss", N(from), N(to), N(2), name, name2);

	/* A walk that gets only part of the way has a reply, but makes no fid. */
	return error ? error : p9_get(&answer, 2) == 2 ? 0 : -ENOENT;
}

int clunk(unsigned int fid)
{
	return ask(P9_TCLUNK, "4", N(fid));
}

int same(unsigned int from, unsigned int to)
{
	return ask(P9_TWALK, "442", N(from), N(to), N(0));
}

int create(unsigned int directory, unsigned int fid, const char *name, int flags)
{
	ck_assert_int_eq(same(directory, fid), 0);
	return ask(P9_TLCREATE, "4s444", N(fid), name, N(flags | O_CREAT), N(0640), N(getgid()));
}

int put(unsigned int fid, uint64_t offset, const char *text)
{
	static uint8_t message[1024];
	struct p9_out out = { .start = message, .room = sizeof(message) };
	size_t got;

	p9_put(&out, 4, P9_HEADER + 16 + strlen(text));
	p9_put(&out, 1, P9_TWRITE);
	p9_put(&out, 2, TAG);
	p9_put(&out, 4, fid);
	p9_put(&out, 8, offset);
	p9_put(&out, 4, strlen(text));
	memcpy(message + out.size, text, strlen(text));
	got = p9_serve(&server, message, out.size + strlen(text), reply, sizeof(reply));
	answer = (struct p9_in) { .at = reply, .left = got };
	p9_get(&answer, 4);
	if (p9_get(&answer, 1) != P9_RLERROR)
		return 0;
	p9_get(&answer, 2);
	return -(int)p9_get(&answer, 4);
}
