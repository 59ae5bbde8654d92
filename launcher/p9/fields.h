/* SPDX-License-Identifier: GPL-2.0-only */
/* The fields of 9P2000.L requests and replies. */
#ifndef _LAUNCHER_P9_FIELDS_H
#define _LAUNCHER_P9_FIELDS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define P9_HEADER	7	/* size[4] type[1] tag[2] */
#define P9_NOTAG	0xffff
#define P9_NOFID	0xffffffffU

/* Types of requests; a reply's type is the request's plus 1. */
enum {
	P9_RLERROR = 7,
	P9_TSTATFS = 8,
	P9_TLOPEN = 12,
	P9_TLCREATE = 14,
	P9_TSYMLINK = 16,
	P9_TMKNOD = 18,
	P9_TREADLINK = 22,
	P9_TGETATTR = 24,
	P9_TSETATTR = 26,
	P9_TREADDIR = 40,
	P9_TFSYNC = 50,
	P9_TLOCK = 52,
	P9_TGETLOCK = 54,
	P9_TLINK = 70,
	P9_TMKDIR = 72,
	P9_TRENAMEAT = 74,
	P9_TUNLINKAT = 76,
	P9_TVERSION = 100,
	P9_TATTACH = 104,
	P9_TFLUSH = 108,
	P9_TWALK = 110,
	P9_TREAD = 116,
	P9_TWRITE = 118,
	P9_TCLUNK = 120,
	P9_TYPES,
};

/* Identifies a file to the client. */
struct p9_qid {
	uint8_t type;
	uint32_t version;
	uint64_t path;
};

#define P9_QID_SIZE	13
#define P9_QTDIR	0x80
#define P9_QTSYMLINK	0x02
#define P9_QTFILE	0x00

/* The rest of a request. A field past its end reads as 0 and sets bad. */
struct p9_in {
	const uint8_t *at;
	size_t left;
	bool bad;
};

/* A reply in the making. A field that has no room is left out and sets full. */
struct p9_out {
	uint8_t *start;
	size_t size;
	size_t room;
	bool full;
};

uint64_t p9_get(struct p9_in *in, unsigned int bytes);
void p9_get_text(struct p9_in *in, char *text, size_t size);
int p9_get_name(struct p9_in *in, char name[NAME_MAX + 1]);
const void *p9_get_rest(struct p9_in *in, size_t size);

void p9_put(struct p9_out *out, unsigned int bytes, uint64_t value);
void p9_put_text(struct p9_out *out, const char *text);
void p9_put_qid(struct p9_out *out, const struct p9_qid *qid);
void p9_put_at(struct p9_out *out, size_t position, unsigned int bytes, uint64_t value);
void *p9_put_room(struct p9_out *out, size_t *room);

#endif /* _LAUNCHER_P9_FIELDS_H */
