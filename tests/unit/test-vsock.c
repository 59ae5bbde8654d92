// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sockets to the host: which addresses a guest can't have.
 */
#include <string.h>

#include "driver.h"
#include "unit.h"

static struct virtio_device device;
static struct driver driver;

START_TEST(addresses_that_can_not_be_are_refused)
{
	static const char * const bad[] = {
		"", "x", "-5", " 5", "5 ", "5,6", "0", "1", "2", "4294967295", "4294967296",
		"18446744073709551619", "99999999999999999999999",
	};
	unsigned int i;

	driver_init(&driver);
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		unit_refused(virtio_vsock_kind.init(&device, &driver.memory, bad[i]),
			     "is no address of a guest");
		virtio_device_exit(&device);
	}
	guest_memory_exit(&driver.memory);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vsock");

	UNIT_ADD(suite, addresses_that_can_not_be_are_refused);
	return unit_run(suite);
}
