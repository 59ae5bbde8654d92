/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Xen's ABI for paravirtual guests, as far as the launcher has to do with it: layouts and
 * numbers, as Linux uses them (Linux: include/xen/interface/). What lg.ko does of it is not
 * here.
 */
#ifndef _LAUNCHER_XEN_ABI_H
#define _LAUNCHER_XEN_ABI_H

#include <stdint.h>

#include "memory.h"

/* Where Linux has its code, and where a guest of ours finds the M2P: in slot 257. */
#define XEN_KERNEL_MAP		0xffffffff80000000ULL
#define XEN_M2P			0xffff808000000000ULL

#define XEN_VERSION_MINOR	17	/* of 4: what the guest takes us for */

/* Event channels that are there when the guest starts. */
#define XEN_STORE_PORT		1
#define XEN_CONSOLE_PORT	2
#define XEN_FIRST_FREE_PORT	3
#define XEN_PORTS		4096

/* The guest's number, and that of who serves it. */
#define XEN_DOMAIN		1
#define XEN_BACKEND		0

/* start_info: one page, in the guest's memory. */
#define XEN_MAGIC		"xen-3.0-x86_64"
#define XEN_COMMAND_LINE_MAX	1024
#define XEN_MOD_START_PFN	8	/* flags: mod_start is a page's number */

struct xen_start_info {
	char magic[32];
	uint64_t pages;			/* of the guest's memory */
	uint64_t shared_info;		/* guest physical */
	uint32_t flags;
	uint32_t pad0;
	uint64_t store_frame;
	uint32_t store_port;
	uint32_t pad1;
	uint64_t console_frame;
	uint32_t console_port;
	uint32_t pad2;
	uint64_t page_tables;		/* guest virtual */
	uint64_t table_pages;
	uint64_t p2m;			/* guest virtual */
	uint64_t module;		/* the initrd's first page */
	uint64_t module_size;		/* bytes */
	char command_line[XEN_COMMAND_LINE_MAX];
	uint64_t first_p2m_pfn, p2m_frames;
};

/* shared_info: one page. */
#define XEN_LEGACY_VCPUS	32

struct xen_vcpu_info {
	uint8_t pending, mask;
	uint8_t pad[6];
	uint64_t selector;
	uint64_t cr2, pad2;
	uint8_t time[32];
};

struct xen_shared_info {
	struct xen_vcpu_info vcpu[XEN_LEGACY_VCPUS];
	uint64_t pending[XEN_PORTS / 64];
	uint64_t mask[XEN_PORTS / 64];
	uint32_t clock_version, clock_seconds, clock_nanoseconds, clock_seconds_high;
	uint8_t rest[1008];
};

/* The console's page. */
struct xen_console_ring {
	char in[1024], out[2048];
	uint32_t in_cons, in_prod, out_cons, out_prod;
};

/* The store's page. */
#define XEN_STORE_RING		1024

struct xen_store_ring {
	char request[XEN_STORE_RING], answer[XEN_STORE_RING];
	uint32_t request_cons, request_prod, answer_cons, answer_prod;
};

_Static_assert(sizeof(struct xen_start_info) <= PAGE_SIZE, "start_info is one page");
_Static_assert(sizeof(struct xen_shared_info) == PAGE_SIZE, "shared_info is one page");
_Static_assert(sizeof(struct xen_vcpu_info) == 64, "it has a cache line of its own");

/* Hypercalls that lg.ko leaves to us. */
#define XEN_PLATFORM_OP		7
#define XEN_MEMORY_OP		12
#define XEN_XEN_VERSION		17
#define XEN_CONSOLE_IO		18
#define XEN_GRANT_TABLE_OP	20
#define XEN_VM_ASSIST		21
#define XEN_PHYSDEV_OP		33
#define XEN_HVM_OP		34
#define XEN_PMU_OP		40
#define XEN_MCA			48

/* xen_version() */
#define XEN_EXTRAVERSION	1
#define XEN_COMPILE_INFO	2
#define XEN_CAPABILITIES	3
#define XEN_CHANGESET		4
#define XEN_PLATFORM_PARAMETERS	5
#define XEN_GET_FEATURES	6
#define XEN_PAGE_SIZE		7
#define XEN_GUEST_HANDLE	8

#define XEN_FEATURE_PRESERVE_AD		5
#define XEN_FEATURE_GRANT_AVAIL_BITS	7

struct xen_feature_info {
	uint32_t index, features;
};

/* memory_op() */
#define XEN_DECREASE_RESERVATION 1
#define XEN_MAXIMUM_RAM_PAGE	2
#define XEN_CURRENT_RESERVATION	3
#define XEN_MAXIMUM_RESERVATION	4
#define XEN_POPULATE_PHYSMAP	6
#define XEN_MEMORY_MAP		9
#define XEN_MACHPHYS_MAPPING	12

struct xen_memory_reservation {
	uint64_t list;			/* guest virtual: u64[extents] */
	uint64_t extents;
	uint32_t order, address_bits;
	uint16_t domain, pad[3];
};

struct xen_memory_map {
	uint32_t entries, pad;
	uint64_t buffer;
};

struct xen_e820_entry {
	uint64_t addr, size;
	uint32_t type;
} __attribute__((packed));

struct xen_machphys_mapping {
	uint64_t start, end, max_frame;
};

/* console_io() */
#define XEN_CONSOLE_WRITE	0
#define XEN_CONSOLE_READ	1

/* vm_assist() */
#define XEN_ASSIST_ENABLE		0
#define XEN_ASSIST_4GB_SEGMENTS		0
#define XEN_ASSIST_WRITABLE_PAGETABLES	2
#define XEN_ASSIST_PAE_CR3		3

/* grant_table_op() */
#define XEN_GRANT_SETUP_TABLE	2
#define XEN_GRANT_QUERY_SIZE	6
#define XEN_GRANT_SET_VERSION	8
#define XEN_GRANT_GET_VERSION	10
#define XEN_GRANT_GENERAL_ERROR	(-1)

struct xen_grant_setup_table {
	uint16_t domain, pad0;
	uint32_t frames;
	int16_t status;
	uint16_t pad1[3];
	uint64_t list;
};

struct xen_grant_query_size {
	uint16_t domain, pad0;
	uint32_t frames, max_frames;
	int16_t status;
	uint16_t pad1;
};

struct xen_grant_get_version {
	uint16_t domain, pad0;
	uint32_t version;
};

struct xen_grant_entry {
	uint16_t flags, domain;
	uint32_t frame;
};
#define XEN_GRANT_ACCESS	1	/* of flags, bits 0 and 1 */
#define XEN_GRANT_TYPE_MASK	3
#define XEN_GRANT_READ_ONLY	4
#define XEN_GRANT_IN_USE	24	/* who has it reads, and writes, now */

/* physdev_op() */
#define XEN_SET_IOPL		6
#define XEN_SET_IOBITMAP	7

#endif /* _LAUNCHER_XEN_ABI_H */
