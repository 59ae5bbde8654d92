// SPDX-License-Identifier: GPL-2.0-only
/* What the tests of ports share. */
#include <string.h>
#include <unistd.h>

#include "port_driver.h"
#include "unit.h"

struct virtio_device device;
struct driver driver;
unsigned int sent, heard;	/* control messages to the device, and from it */

void offer(unsigned int queue, unsigned int number, size_t size, bool write)
{
	unsigned int index = number % DRIVER_ENTRIES;

	driver_put_desc(&driver, queue, index, BUFFER(queue, index), size,
			write ? VRING_DESC_F_WRITE : 0, 0);
	driver_offer(&driver, queue, index);
	driver_kick(&driver, queue);
}

static void on_leave(void *argument)
{
	ck_assert_ptr_eq(argument, &driver);
}

void make_console(void)
{
	driver_init(&driver);
	driver.device = &device;
	ck_assert_int_eq(virtio_console_init(&device, &driver.memory, on_leave, &driver), 0);
}

/* Start the console's device, which has been made. */
void start_device(unsigned int ports, uint64_t features)
{
	unsigned int i;

	driver_start(&driver, F_MULTIPORT | features);
	ck_assert_uint_eq(driver_read(&driver, VIRTIO_MMIO_CONFIG + 4), ports);
	driver_start_threads(&driver);
	sent = heard = 0;
	for (i = 0; i < DRIVER_ENTRIES; i++)
		offer(TO_DRIVER_QUEUE, i, 256, true);
}

void stop(void)
{
	driver_stop(&driver);
}

/* Send a control message about a port. */
void say_of(uint32_t port, uint16_t event, uint16_t value)
{
	struct virtio_console_control message = { .id = port, .event = event, .value = value };

	memcpy(driver.memory.base + BUFFER(FROM_DRIVER_QUEUE, sent % DRIVER_ENTRIES), &message,
	       sizeof(message));
	offer(FROM_DRIVER_QUEUE, sent++, sizeof(message), false);
	ck_assert(driver_wait(&driver, FROM_DRIVER_QUEUE, sent));
}

void say(uint16_t event, uint16_t value)
{
	say_of(1, event, value);
}

/* Check the device's next control message. Return: what follows in its buffer. */
const char *hear_of(uint32_t port, uint16_t event, uint16_t value)
{
	struct virtio_console_control message;
	const uint8_t *at = driver.memory.base + BUFFER(TO_DRIVER_QUEUE, heard);
	struct vring_used_elem *used = &driver_used(&driver, TO_DRIVER_QUEUE)->ring[heard];
	static char text[64];
	int tries;

	for (tries = 0; tries < 10000 && driver_done(&driver, TO_DRIVER_QUEUE) <= heard; tries++)
		usleep(1000);
	ck_assert_uint_gt(driver_done(&driver, TO_DRIVER_QUEUE), heard);
	heard++;
	memcpy(&message, at, sizeof(message));
	ck_assert_uint_eq(message.id, port);
	ck_assert_uint_eq(message.event, event);
	ck_assert_uint_eq(message.value, value);
	ck_assert_uint_lt(used->len - sizeof(message), sizeof(text));
	memset(text, 0, sizeof(text));
	memcpy(text, at + sizeof(message), used->len - sizeof(message));
	return text;
}

const char *hear(uint16_t event, uint16_t value)
{
	return hear_of(1, event, value);
}

void shake_hands_as(const char *name)
{
	say_of(VIRTIO_CONSOLE_BAD_ID, VIRTIO_CONSOLE_DEVICE_READY, 1);
	hear_of(0, VIRTIO_CONSOLE_PORT_ADD, 1);
	say_of(0, VIRTIO_CONSOLE_PORT_READY, 1);
	hear_of(0, VIRTIO_CONSOLE_CONSOLE_PORT, 1);
	hear_of(0, VIRTIO_CONSOLE_PORT_OPEN, 1);
	hear(VIRTIO_CONSOLE_PORT_ADD, 1);
	say(VIRTIO_CONSOLE_PORT_READY, 1);
	ck_assert_str_eq(hear(VIRTIO_CONSOLE_PORT_NAME, 1), name);
	hear(VIRTIO_CONSOLE_PORT_OPEN, 1);
}
