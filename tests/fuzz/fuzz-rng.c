// SPDX-License-Identifier: GPL-2.0-only
/* The random number generator. */
#include "guest.h"
#include "input.h"

const struct guest_device guest_device = { .init = virtio_rng_init };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	launcher_begin();
	return 0;
}
