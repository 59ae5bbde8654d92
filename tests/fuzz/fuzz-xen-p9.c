// SPDX-License-Identifier: GPL-2.0-only
/* A shared directory of Xen's: any rings, any grants, and a server that answers anything. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/compiler.h"
#include "input.h"
#include "memory.h"
#include "xen/area.h"
#include "xen/p9.h"

#define SIZE	(1ULL << 20)
#define PAGES	(SIZE / PAGE_SIZE)

static struct guest_memory memory;
static struct xen_area area;
static struct xen_p9 share;
static bool lied;	/* the server has claimed anything */

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	launcher_begin();
	require(!guest_memory_init(&memory, SIZE));
	guest_memory_close_hole(&memory);
	require(!xen_area_init(&area, SIZE));
	share.memory = &memory;
	share.area = &area;
	share.vm = -1;
	share.rings = XEN_P9_RINGS;
	return 0;
}

/* Memory as the server has it in common with us, which is given back when the server is lost. */
static void start_server(void)
{
	struct p9_process *server = &share.server;

	memset(server, 0, sizeof(*server));
	server->replies = -1;
	server->ring = mmap(NULL, sizeof(*server->ring), PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	require(server->ring != MAP_FAILED);
	share.lost = lied = false;
	share.answer = NULL;
}

/* Pages of the guest's memory: first those with the indices. */
static void connect_ring(unsigned int number)
{
	struct xen_p9_ring *ring = &share.ring[number];
	unsigned int order = 1 + input_below(3), i;
	int error;

	ring->indices = NULL;
	ring->grant = number;
	ring->port.kick = ring->port.raise = -1;
	memset(memory.base + number * PAGE_SIZE, 0, PAGE_SIZE);
	((struct p9if_indices *)(memory.base + number * PAGE_SIZE))->order = order;
	for (i = 0; i < 1U << order; i++)
		((struct p9if_indices *)(memory.base + number * PAGE_SIZE))->grant[i] =
			input_below(8) ? 16 * (number + 1) + i : input_below(PAGES);
	error = xen_p9_ring_connect(&share, ring);
	/* There is no lg.ko for the port. */
	require(error == -EBADF || error == -EFAULT);
	if (error != -EBADF)
		xen_p9_ring_disconnect(&share, ring);
}

/* The guest writes a message, or only says that it has. */
static void be_the_guest(struct xen_p9_ring *ring)
{
	uint32_t size = input_below(4) ? P9_HEADER + input_below(64) : input_32(), at;
	uint8_t message[P9_HEADER + 64] = { size, size >> 8, size >> 16, size >> 24 };
	unsigned int i;

	input_bytes(message + 4, sizeof(message) - 4);
	for (i = 0; i < sizeof(message); i++) {
		at = ring->size + (ring->out_cons + i) % ring->size;
		ring->page[at / PAGE_SIZE][at % PAGE_SIZE] = message[i];
	}
	ring->indices->out_prod = ring->out_cons + (input_below(16) ? size : input_32());
	ring->indices->in_cons = ring->in_prod - (input_below(16) ? input_below(2) : input_32());
}

static void be_the_server(void)
{
	struct p9_process *server = &share.server;
	struct p9_slot *slot;
	uint32_t answered = atomic_load(&server->ring->answered);

	if (!input_below(64)) {
		atomic_store(&server->ring->answered, input_32());
		lied = true;
	}
	if (lied || answered == server->asked)
		return;
	slot = &server->ring->slot[answered % P9_SLOTS];
	require(slot->size >= P9_HEADER && slot->size <= sizeof(slot->request));
	slot->replied = input_below(16) ? 11 + input_below(4096) : input_32();
	atomic_store(&server->ring->answered, answered + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int i;

	input_begin(data, size);
	start_server();
	for (i = 0; i < PAGES; i++)
		area.grants[i] = (struct xen_grant_entry){ XEN_GRANT_ACCESS, XEN_BACKEND, i };
	input_bytes(&area.grants[16 + input_below(32)], 8);
	for (i = 0; i < XEN_P9_RINGS; i++)
		connect_ring(i);
	while (!input_over() && share.ring[0].indices && share.ring[1].indices) {
		be_the_guest(&share.ring[input_below(XEN_P9_RINGS)]);
		xen_p9_work(&share);
		if (!share.lost)
			be_the_server();
		xen_p9_work(&share);
	}
	for (i = 0; i < XEN_P9_RINGS; i++)
		xen_p9_ring_disconnect(&share, &share.ring[i]);
	p9_process_stop(&share.server);
	memset(share.request, 0, sizeof(share.request));
	return 0;
}
