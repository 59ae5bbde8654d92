/* SPDX-License-Identifier: GPL-2.0-only */
/* The one table of options: of starting a guest, and of "lguest run". */
#ifndef _LAUNCHER_OPTION_ROWS_H
#define _LAUNCHER_OPTION_ROWS_H

#include <stdbool.h>

struct options;

/* On whose command line: before MEMORY and KERNEL, or behind "lguest run". */
#define OF_START	1U
#define OF_RUN		2U

unsigned int option_count(void);
bool option_is_device(unsigned int number);
bool option_is_of(unsigned int number, unsigned int whose);
bool option_is_general(unsigned int number);
const char *option_name(unsigned int number);
char option_letter(unsigned int number);
const char *option_value(unsigned int number);
const char *option_text(unsigned int number);
int option_find(const char *name, int length);
int option_nearest(const char *name, int length, unsigned int whose);
int option_use(struct options *options, unsigned int number, const char *value);

#endif /* _LAUNCHER_OPTION_ROWS_H */
