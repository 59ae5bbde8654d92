// SPDX-License-Identifier: GPL-2.0-only
/* Files of kernels: bzImages with payloads in each format, and ELF files. */
#include <stdlib.h>
#include <string.h>

#include "input.h"
#include "boot/kernel.h"
#include "lguest_abi.h"
#include "memory.h"

#define MIB	(1ULL << 20)

static struct guest_memory memory;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	launcher_begin();
	require(!guest_memory_init(&memory, 32 * MIB));
	return 0;
}

/* The result is a good kernel, or exactly one message. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes file = { malloc(size ? size : 1), size };
	struct kernel kernel;

	if (size)
		memcpy((void *)file.at, data, size);
	messages = 0;
	if (kernel_parse(&kernel, "fuzz", file)) {
		require(messages == 1);
		return 0;
	}
	require(!messages);
	require(kernel.image.start >= MIB && kernel.image.end <= LGUEST_HOLE_START);
	kernel_load(&kernel, &memory);
	kernel_close(&kernel);
	return 0;
}
