/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of ports share: the console's device, and a driver that knows of ports. */
#ifndef _PORT_DRIVER_H
#define _PORT_DRIVER_H

#include <linux/virtio_config.h>
#include <linux/virtio_console.h>
#include <linux/virtio_mmio.h>

#include "driver.h"

/* The first named port's, which most tests are about, come last. */
enum { CONSOLE_INPUT_QUEUE, CONSOLE_OUTPUT_QUEUE, TO_DRIVER_QUEUE, FROM_DRIVER_QUEUE,
	INPUT_QUEUE, OUTPUT_QUEUE };

#define F_SIZE		(1ULL << VIRTIO_CONSOLE_F_SIZE)
#define F_MULTIPORT	(1ULL << VIRTIO_CONSOLE_F_MULTIPORT)

#define BUFFER(queue, n)	(DRIVER_BUFFERS + ((queue) * DRIVER_ENTRIES + (n)) * 1024ULL)

extern struct virtio_device device;
extern struct driver driver;
extern unsigned int sent, heard;	/* control messages each way */

void offer(unsigned int queue, unsigned int number, size_t size, bool write);
void make_console(void);
void start_device(unsigned int ports, uint64_t features);	/* that is made */
void stop(void);
/* The driver says, of port 1 if none is named. */
void say_of(uint32_t port, uint16_t event, uint16_t value);
void say(uint16_t event, uint16_t value);
/* The next that the device says is this. Return: what comes behind it. */
const char *hear_of(uint32_t port, uint16_t event, uint16_t value);
const char *hear(uint16_t event, uint16_t value);
void shake_hands_as(const char *name);

#endif /* _PORT_DRIVER_H */
