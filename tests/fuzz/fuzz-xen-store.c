// SPDX-License-Identifier: GPL-2.0-only
/* Xen's store: any bytes in its ring, in any pieces, with an index that lies now and then. */
#include <string.h>

#include "input.h"
#include "xen/store.h"

static struct xen_store store;
static struct xen_store_ring ring;

static void on_change(void *argument, const char *path)
{
	char value[8];

	require(xen_path_is_good(path) && xen_path_is_below(path, XEN_STORE_HOME));
	xen_store_get(argument, path, value, sizeof(value));
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	launcher_begin();
	require(!xen_store_init(&store, on_change, &store));
	return 0;
}

static void put(const void *from, size_t size)
{
	const char *bytes = from;

	for (; size && ring.request_prod - ring.request_cons < XEN_STORE_RING; size--)
		ring.request[ring.request_prod++ % XEN_STORE_RING] = *bytes++;
}

static void one_step(void)
{
	uint8_t text[256];
	struct xen_store_header header = { 0 };

	switch (input_below(8)) {
	case 0:		/* bytes as they come */
		put(text, input_bytes(text, input_byte()));
		break;
	case 1:
		xen_store_set(&store, XEN_STORE_HOME "/control/shutdown", "%u", input_byte());
		break;
	case 2:
		ring.answer_cons += input_below(64) ? input_byte() : input_32();
		break;
	default:	/* a whole message */
		header.type = input_below(24);
		header.size = input_bytes(text, input_below(sizeof(text)));
		put(&header, sizeof(header));
		put(text, header.size);
		ring.answer_cons = ring.answer_prod;
	}
	xen_store_work(&store);
	/* Looked at only when there is something to be said. */
	require(ring.answer_prod - ring.answer_cons <= XEN_STORE_RING || store.broken ||
		!store.out_to);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	input_begin(data, size);
	memset(&ring, 0, sizeof(ring));
	store.ring = &ring;
	store.stopping = false;
	xen_store_set(&store, XEN_STORE_HOME "/name", "%s", "fuzz");
	while (!input_over())
		one_step();
	xen_store_stop(&store);
	return 0;
}
