/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the console device (virtio 1.2, section 5.3) know of each other:
 * console.c is the device, and what its driver tells it of ports; say.c is what it tells
 * the driver; port.c is the bytes of a port; port_open.c is where they come from and go to.
 */
#ifndef _LAUNCHER_VIRTIO_CONSOLE_H
#define _LAUNCHER_VIRTIO_CONSOLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "terminal/terminal.h"
#include "virtio/virtio.h"

#define PORT_NAME_SIZE	64
#define PORT_INPUT_SIZE	4096

/* Each port has two queues, and the control messages have two. */
#define CONSOLE_MAX_PORTS	(VIRTIO_MAX_QUEUES / 2 - 1)

/* The queues of the first port, and those of messages; then the other ports' queues. */
enum { INPUT_QUEUE, OUTPUT_QUEUE, TO_DRIVER_QUEUE, FROM_DRIVER_QUEUE, QUEUES };

/* Messages to the driver of a port, in the order in which the driver gets them. */
enum { SAY_ADD, SAY_CONSOLE, SAY_NAME, SAY_SIZE, SAY_OPEN, SAY_CLOSED, MESSAGES };

struct port {
	struct console *console;
	unsigned int number;		/* 0: the console itself */
	char name[PORT_NAME_SIZE];	/* "" for the console */
	int in, out;			/* -1: there is none; may be the same */
	atomic_uint to_say;		/* what the driver is to be told, bits of SAY_* */
	atomic_bool guest_open;		/* a program in the guest has the port open */
	atomic_bool ended;		/* there will be no more input */
	/* Of the thread of the output queue: */
	bool gone;			/* nobody reads our output */
	size_t at_end;			/* bytes written to the terminal after the guest's end */
	unsigned int waited;		/* for a reader, while the driver waits; see PATIENCE */
	bool is_tty;			/* a person types here */
	/* Of the thread of the input queue: bytes read, but not given to the guest yet. */
	size_t size;
	uint8_t text[PORT_INPUT_SIZE];
};

struct console {
	struct virtio_device *device;
	void (*leave)(void *argument);	/* the person typed Ctrl-A x */
	void *argument;
	struct terminal_keys keys;	/* of the thread of the first port's input */
	int resized;			/* signalfd: the window has a new size, or -1 */
	atomic_bool sized;		/* the driver wants to know the size */
	atomic_bool ready;		/* the driver wants to hear of ports */
	unsigned int ports;
	struct port *port[CONSOLE_MAX_PORTS];
};

/* say.c */
void console_say(struct port *port, unsigned int what);
void console_write_config(struct console *console);
void console_resized(struct console *console);
void console_tell(struct console *console);

/* port.c */
bool port_is_over(const struct port *port);
void port_run_input(struct virtio_queue *queue, struct port *port);
void port_run_output(struct virtio_queue *queue, struct port *port);

/* port_open.c */
int port_open(struct port *port, const char *text);
int port_use_descriptor(struct port *port, const char *name, int fd);
void port_close(struct port *port);

#endif /* _LAUNCHER_VIRTIO_CONSOLE_H */
