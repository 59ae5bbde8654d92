// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hypercalls of Xen's ABI that lg.ko leaves to the launcher: those that a guest makes
 * while it starts. Any of them may come from several virtual CPUs at once, with any
 * arguments; each argument is read once. What is not here is -ENOSYS, and the person hears
 * of it once.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/compiler.h"
#include "base/message.h"
#include "lguest_uapi.h"
#include "memory.h"
#include "terminal/terminal.h"
#include "xen/abi.h"
#include "xen/area.h"
#include "xen/guest_copy.h"
#include "xen/hypercalls.h"

/* Of console_io() at once; Linux writes a line. */
#define MOST_OUTPUT	4096U
#define OUTPUT_PART	512U
#define E820_RAM	1
/* Pages of a change of memory. */
#define MOST_EXTENTS	4096U

/* One hypercall. */
struct call {
	struct xen_calls *calls;
	const struct guest_memory *memory;
	const uint64_t *arg;
	uint64_t cr3;
	bool unknown;		/* there is no such thing here: the person is to know */
};

static bool get(const struct call *call, uint64_t gva, void *to, size_t size)
{
	return xen_copy_in(call->memory, call->cr3, gva, to, size);
}

static int64_t put(const struct call *call, uint64_t gva, const void *from, size_t size)
{
	return xen_copy_out(call->memory, call->cr3, gva, from, size) ? 0 : -EFAULT;
}

static int64_t unknown(struct call *call)
{
	call->unknown = true;
	return -ENOSYS;
}

/* --- xen_version() --- */

/* Text in a field that the guest has room for. */
static int64_t put_text(const struct call *call, const char *text, size_t room)
{
	char field[1024] = "";

	memcpy(field, text, strlen(text));
	return put(call, call->arg[1], field, room);
}

static int64_t get_features(const struct call *call)
{
	struct xen_feature_info info;

	if (!get(call, call->arg[1], &info, sizeof(info)))
		return -EFAULT;
	if (info.index)
		return -EINVAL;
	info.features = 1U << XEN_FEATURE_PRESERVE_AD | 1U << XEN_FEATURE_GRANT_AVAIL_BITS;
	return put(call, call->arg[1], &info, sizeof(info));
}

static int64_t do_version(struct call *call)
{
	static const uint64_t start = XEN_M2P;
	static const uint8_t handle[16];
	/* Compiler, by whom, where, when. */
	static const char compile_info[64 + 16 + 32 + 32];

	switch (call->arg[0]) {
	case XEN_EXTRAVERSION:
		return put_text(call, "-lguest", 16);
	case XEN_COMPILE_INFO:
		return put(call, call->arg[1], compile_info, sizeof(compile_info));
	case XEN_CAPABILITIES:
		return put_text(call, XEN_MAGIC, 1024);
	case XEN_CHANGESET:
		return put_text(call, "", 64);
	case XEN_PLATFORM_PARAMETERS:
		return put(call, call->arg[1], &start, sizeof(start));
	case XEN_GET_FEATURES:
		return get_features(call);
	case XEN_PAGE_SIZE:
		return PAGE_SIZE;
	case XEN_GUEST_HANDLE:
		return put(call, call->arg[1], handle, sizeof(handle));
	default:
		return unknown(call);
	}
}

/* --- memory_op() --- */

static int64_t memory_map(const struct call *call)
{
	struct xen_e820_entry all = { .size = call->memory->size, .type = E820_RAM };
	struct xen_memory_map map;
	int64_t error;

	if (!get(call, call->arg[1], &map, sizeof(map)))
		return -EFAULT;
	if (!map.entries)
		return -EINVAL;
	error = put(call, map.buffer, &all, sizeof(all));
	map.entries = 1;
	return error ? error : put(call, call->arg[1], &map, sizeof(map));
}

/*
 * The guest gives pages back, or wants some again: its frames are always the same, so that
 * is those that it gave. Return: how many of them; Linux asks for 512 at once.
 */
static int64_t change_memory(const struct call *call, bool back)
{
	struct xen_memory_reservation reservation;
	uint64_t i, frame;

	if (!get(call, call->arg[1], &reservation, sizeof(reservation)))
		return -EFAULT;
	if (reservation.order)
		return 0;
	for (i = 0; i < reservation.extents && i < MOST_EXTENTS; i++) {
		uint8_t *page = NULL;

		if (!get(call, reservation.list + i * sizeof(frame), &frame, sizeof(frame)))
			break;
		if (frame < call->memory->size / PAGE_SIZE)
			page = guest_range(call->memory, frame * PAGE_SIZE, PAGE_SIZE);
		if (!page)
			break;
		if (back)
			guest_memory_discard(call->memory, page, PAGE_SIZE);
	}
	return i;
}

static int64_t do_memory(struct call *call)
{
	uint64_t frames = call->memory->size / PAGE_SIZE;
	struct xen_machphys_mapping mapping = {
		.start = XEN_M2P,
		.end = XEN_M2P + frames * sizeof(uint64_t),
		.max_frame = frames - 1,
	};

	switch (call->arg[0]) {
	case XEN_DECREASE_RESERVATION:
		return change_memory(call, true);
	case XEN_POPULATE_PHYSMAP:
		return change_memory(call, false);
	case XEN_MAXIMUM_RAM_PAGE:
		return frames - 1;
	case XEN_CURRENT_RESERVATION:
	case XEN_MAXIMUM_RESERVATION:
		return frames;
	case XEN_MEMORY_MAP:
		return memory_map(call);
	case XEN_MACHPHYS_MAPPING:
		return put(call, call->arg[1], &mapping, sizeof(mapping));
	default:
		return unknown(call);
	}
}

/* --- console_io(): until the guest has a console --- */

static int64_t do_console(struct call *call)
{
	uint64_t left = call->arg[1], gva = call->arg[2];
	char text[OUTPUT_PART];

	if (call->arg[0] == XEN_CONSOLE_READ)
		return 0;
	if (call->arg[0] != XEN_CONSOLE_WRITE)
		return unknown(call);
	if (left > MOST_OUTPUT)
		return -EINVAL;
	while (left) {
		size_t part = left < sizeof(text) ? left : sizeof(text);

		if (!get(call, gva, text, part))
			return -EFAULT;
		terminal_write_early(text, part);
		gva += part;
		left -= part;
	}
	return 0;
}

/* --- grant_table_op(): which pages the table is in; version 1 alone --- */

static int64_t setup_table(const struct call *call)
{
	struct xen_grant_setup_table setup;
	unsigned int i;

	if (!get(call, call->arg[1], &setup, sizeof(setup)))
		return -EFAULT;
	setup.status = setup.frames > XEN_GRANT_FRAMES ? XEN_GRANT_GENERAL_ERROR : 0;
	for (i = 0; !setup.status && i < setup.frames; i++) {
		uint64_t frame = xen_area_grant_frame(call->calls->area, i);

		if (put(call, setup.list + i * sizeof(frame), &frame, sizeof(frame)))
			return -EFAULT;
	}
	if (!setup.status && setup.frames > call->calls->grant_frames)
		call->calls->grant_frames = setup.frames;
	return put(call, call->arg[1], &setup, sizeof(setup));
}

static int64_t query_size(const struct call *call)
{
	struct xen_grant_query_size query;

	if (!get(call, call->arg[1], &query, sizeof(query)))
		return -EFAULT;
	query.frames = call->calls->grant_frames;
	query.max_frames = XEN_GRANT_FRAMES;
	query.status = 0;
	return put(call, call->arg[1], &query, sizeof(query));
}

static int64_t set_version(const struct call *call)
{
	uint32_t version;

	if (!get(call, call->arg[1], &version, sizeof(version)))
		return -EFAULT;
	return version == 1 ? 0 : -EINVAL;
}

static int64_t get_version(const struct call *call)
{
	struct xen_grant_get_version answer;

	if (!get(call, call->arg[1], &answer, sizeof(answer)))
		return -EFAULT;
	answer.version = 1;
	return put(call, call->arg[1], &answer, sizeof(answer));
}

static int64_t do_grants(struct call *call)
{
	if (call->arg[2] != 1)
		return -EINVAL;
	switch (call->arg[0]) {
	case XEN_GRANT_SETUP_TABLE:
		return setup_table(call);
	case XEN_GRANT_QUERY_SIZE:
		return query_size(call);
	case XEN_GRANT_SET_VERSION:
		return set_version(call);
	case XEN_GRANT_GET_VERSION:
		return get_version(call);
	default:
		return unknown(call);
	}
}

/* --- What has the same answer always. --- */

static int64_t do_assist(struct call *call)
{
	if (call->arg[0] != XEN_ASSIST_ENABLE)
		return -EINVAL;
	switch (call->arg[1]) {
	case XEN_ASSIST_4GB_SEGMENTS:
	case XEN_ASSIST_WRITABLE_PAGETABLES:
	case XEN_ASSIST_PAE_CR3:
		return 0;
	default:
		return -EINVAL;
	}
}

static int64_t do_physdev(struct call *call)
{
	/* Ports are nobody's: whoever uses them gets nothing. */
	return call->arg[0] == XEN_SET_IOPL || call->arg[0] == XEN_SET_IOBITMAP ? 0 : -ENOSYS;
}

static int64_t not_allowed(struct call *call)
{
	(void)call;
	return -EPERM;
}

static int64_t not_there(struct call *call)
{
	(void)call;
	return -ENOSYS;
}

static int64_t (*const calls_by_nr[XEN_NRS])(struct call *call) = {
	[XEN_PLATFORM_OP] = not_allowed,
	[XEN_MEMORY_OP] = do_memory,
	[XEN_XEN_VERSION] = do_version,
	[XEN_CONSOLE_IO] = do_console,
	[XEN_GRANT_TABLE_OP] = do_grants,
	[XEN_VM_ASSIST] = do_assist,
	[XEN_PHYSDEV_OP] = do_physdev,
	[XEN_HVM_OP] = not_there,
	[XEN_PMU_OP] = not_there,
	[XEN_MCA] = not_there,
};

/* Numbers that are too large share the last bit. */
static void tell_once(struct xen_calls *calls, uint64_t nr, uint64_t sub_op)
{
	uint64_t bit = 1ULL << (sub_op < XEN_SUB_OPS ? sub_op : XEN_SUB_OPS - 1);

	if (!(atomic_fetch_or(&calls->told[nr < XEN_NRS ? nr : XEN_NRS - 1], bit) & bit))
		message("the guest wants hypercall %llu, sub-operation %llu, of Xen's, which is not here",
			(unsigned long long)nr, (unsigned long long)sub_op);
}

/**
 * xen_hypercall() - do what LGUEST_EXIT_HYPERCALL returned for
 * @calls: the guest's
 * @run: of the virtual CPU whose thread this is; the answer goes there
 */
void xen_hypercall(struct xen_calls *calls, struct lguest_run *run)
{
	struct call call = {
		.calls = calls,
		.memory = calls->memory,
		.arg = (const uint64_t *)run->hypercall.arg,
		.cr3 = run->hypercall.cr3,
	};
	uint64_t nr = run->hypercall.nr;

	if (nr < XEN_NRS && calls_by_nr[nr])
		run->hypercall.result = calls_by_nr[nr](&call);
	else
		run->hypercall.result = unknown(&call);
	if (call.unknown)
		tell_once(calls, nr, call.arg[0]);
}
