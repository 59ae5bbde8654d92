/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the init of "lguest run" have of each other. */
#ifndef _RUN_INIT_H
#define _RUN_INIT_H

#include <stdbool.h>
#include <stdint.h>

#include "session/protocol.h"

/* run_init.c */
extern int port;	/* to the launcher, or -1 */
extern bool is_xen;	/* we are in a guest of Xen's ABI */
void send_frame(enum session_type type, const void *data, uint32_t length);
void die(const char *what);

/* port.c */
void open_port(void);

/* modules.c */
void load_modules(void);

/* network.c */
void start_loopback(void);
void start_network(unsigned int card);

#endif /* _RUN_INIT_H */
