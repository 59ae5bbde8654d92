/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of ports share: the console's device, and a driver that knows of ports. */
#ifndef _PORT_DRIVER_H
#define _PORT_DRIVER_H

#include <linux/virtio_config.h>
#include <linux/virtio_console.h>
#include <linux/virtio_mmio.h>

#include "driver.h"

/* The queues of the first named port, which most tests are about, come last. */
enum { CONSOLE_INPUT_QUEUE, CONSOLE_OUTPUT_QUEUE, TO_DRIVER_QUEUE, FROM_DRIVER_QUEUE,
	INPUT_QUEUE, OUTPUT_QUEUE };

#define F_SIZE		(1ULL << VIRTIO_CONSOLE_F_SIZE)
#define F_MULTIPORT	(1ULL << VIRTIO_CONSOLE_F_MULTIPORT)

#define BUFFER(queue, n)	(DRIVER_BUFFERS + ((queue) * DRIVER_ENTRIES + (n)) * 1024ULL)

extern struct virtio_device device;
extern struct driver driver;
extern unsigned int sent, heard;	/* control messages to the device, and from it */

void offer(unsigned int queue, unsigned int number, size_t size, bool write);
void make_console(void);
void start_device(unsigned int ports, uint64_t features);	/* which has been made */
void stop(void);
/* Send a control message about a port, or about port 1. */
void say_of(uint32_t port, uint16_t event, uint16_t value);
void say(uint16_t event, uint16_t value);
/* Check the device's next control message. Return: what follows in its buffer. */
const char *hear_of(uint32_t port, uint16_t event, uint16_t value);
const char *hear(uint16_t event, uint16_t value);
void shake_hands_as(const char *name);

#endif /* _PORT_DRIVER_H */
