/* SPDX-License-Identifier: GPL-2.0-only */
/* The person's terminal, or whatever standard input and output are. */
#ifndef _LAUNCHER_TERMINAL_H
#define _LAUNCHER_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What terminal_filter() remembers of the launcher's own keys. */
struct terminal_keys {
	bool escaped;	/* the last key was Ctrl-A */
	bool leave;	/* Ctrl-A x was typed */
};

int terminal_init(void);
void terminal_raw(void);
void terminal_restore(void);
bool terminal_is_raw(void);
void terminal_die(int signal);
void terminal_pass_term(int fd);
void terminal_detach(int output);
void terminal_hide_early(void);
bool terminal_has_input(void);
bool terminal_was_seen(void);
void terminal_size(uint16_t *columns, uint16_t *rows);
size_t terminal_filter(struct terminal_keys *keys, uint8_t *text, size_t size);
void terminal_write(const void *text, size_t size);
void terminal_write_early(const char *text, size_t size);
void terminal_give_up(bool yes);

#endif /* _LAUNCHER_TERMINAL_H */
