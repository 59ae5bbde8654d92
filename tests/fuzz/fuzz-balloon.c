// SPDX-License-Identifier: GPL-2.0-only
/* The balloon: it gives away the memory that the guest names, and is resized from outside. */
#include <endian.h>
#include <string.h>

#include "guest.h"
#include "input.h"
#include "virtio/balloon.h"

static int init(struct virtio_device *device, const struct guest_memory *memory)
{
	return virtio_balloon_init(device, memory, input_byte() & 1);
}

/* Page numbers, some of them wrong; or statistics. */
static size_t request(unsigned int queue, uint8_t *to, size_t room)
{
	unsigned int i, count = input_below(16);
	uint32_t page;

	if (queue > 1)
		return input_bytes(to, input_byte() % room);
	for (i = 0; i < count; i++) {
		page = input_byte() < 0xf0 ? GUEST_MEMORY / PAGE_SIZE - 1 - input_byte() % 128 :
					     input_nasty();
		page = htole32(page);
		memcpy(to + i * sizeof(page), &page, sizeof(page));
	}
	return count * sizeof(page);
}

static void event(struct virtio_device *device)
{
	struct balloon_stats stats;

	if (input_byte() & 1)
		balloon_set(device, input_nasty());
	else
		balloon_stats(device, &stats, input_byte());
}

const struct guest_device guest_device = { .init = init, .request = request, .event = event };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	launcher_begin();
	return 0;
}
