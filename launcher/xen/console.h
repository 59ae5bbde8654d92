/* SPDX-License-Identifier: GPL-2.0-only */
/* The console of a guest of Xen's ABI, on the launcher's terminal. */
#ifndef _LAUNCHER_XEN_CONSOLE_H
#define _LAUNCHER_XEN_CONSOLE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/thread.h"
#include "terminal/terminal.h"
#include "xen/abi.h"
#include "xen/port.h"

#define XEN_CONSOLE_INPUT	4096

struct xen_console {
	void (*leave)(void *argument);	/* the person typed Ctrl-A x */
	void *argument;
	struct xen_port port;
	int room;			/* eventfd: the input thread is to look again */
	int stop;			/* eventfd: readable when threads must end */
	atomic_bool stopping;
	atomic_bool heard;		/* this guest has sent something */
	struct thread output_thread, input_thread;

	struct xen_console_ring *ring;	/* the guest's */
	/* Where we are in it, which is never read back from the guest. */
	uint32_t out_cons;		/* of the output thread */
	uint32_t in_prod;		/* of the input thread, as all below */
	struct terminal_keys keys;
	int in;				/* standard input */
	bool is_tty;			/* a person types there */
	bool ended;			/* there will be no more input */
	size_t size;			/* read, but not yet the guest's */
	uint8_t text[XEN_CONSOLE_INPUT];
};

int xen_console_init(struct xen_console *console, void (*leave)(void *), void *argument);
int xen_console_start(struct xen_console *console, struct xen_console_ring *ring);
void xen_console_stop(struct xen_console *console);
void xen_console_exit(struct xen_console *console);

#endif /* _LAUNCHER_XEN_CONSOLE_H */
