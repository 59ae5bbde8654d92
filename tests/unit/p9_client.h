/* SPDX-License-Identifier: GPL-2.0-only */
/* A client of the server of shared directories, for tests. */
#ifndef _P9_CLIENT_H
#define _P9_CLIENT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "p9/server.h"

/* make_message() takes each number as 64 bits. */
#define N(number)	((uint64_t)(number))

extern struct p9_server server;
extern char top[64], shared[80];	/* the shared directory, and the one that it is in: top */
extern uint8_t reply[P9_MAX_MESSAGE];
extern struct p9_in answer;	/* the rest of the last reply */

const char *path(const char *format, ...);
size_t make_message(uint8_t *message, unsigned int type, const char *fields, va_list list);
int ask(unsigned int type, const char *fields, ...);
void write_file(const char *name, const char *text);
void begin_sharing(bool read_only);
void end_sharing(void);
int walk(unsigned int from, unsigned int to, const char *name);
int walk2(unsigned int from, unsigned int to, const char *name, const char *name2);
int clunk(unsigned int fid);
int same(unsigned int from, unsigned int to);
int create(unsigned int directory, unsigned int fid, const char *name, int flags);
int put(unsigned int fid, uint64_t offset, const char *text);

#endif /* _P9_CLIENT_H */
