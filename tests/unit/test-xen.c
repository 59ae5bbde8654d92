// SPDX-License-Identifier: GPL-2.0-only
/*
 * guests of Xen's ABI: how a kernel says that it is one, and what is in memory when it starts.
 */
#include <jansson.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/compiler.h"
#include "boot/boot.h"
#include "boot/elf_image.h"
#include "boot/plan.h"
#include "control/requests.h"
#include "images.h"
#include "lguest_abi.h"
#include "memory.h"
#include "option/config.h"
#include "terminal/relay.h"
#include "unit.h"
#include "vm.h"
#include "xen/abi.h"
#include "xen/area.h"
#include "xen/build.h"
#include "xen/net.h"
#include "xen/tables.h"
#include "virtio/virtio.h"
#include "xen/xen.h"

#define TEXT_SIZE	9000
#define MIB		(1ULL << 20)
#define IMAGE_END	(IMAGE_DATA_GPA + TEXT_SIZE + 512 + IMAGE_BSS_SIZE)

static struct guest_memory memory;
static struct boot_entry entry;
static struct xen_rings rings;
static struct xen_start_info *info;

/* --- Notes. --- */

static struct elf_image parsed;

static void refused_note(unsigned int number, uint32_t type, uint64_t contents, const char *words)
{
	struct bytes image = image_xen_elf(TEXT_SIZE);
	struct image_head *head = (struct image_head *)image.at;
	struct image_xen_note *note = (struct image_xen_note *)&head->other + number;

	note->header.n_type = type;
	note->contents = contents;
	unit_refused(elf_parse("test", image, &parsed), words);
	image_free(image);
}

START_TEST(notes_say_that_a_kernel_speaks_xen)
{
	struct bytes image = image_xen_elf(TEXT_SIZE);

	ck_assert_msg(!elf_parse("test", image, &parsed), "%s", unit_last_message);
	ck_assert_uint_eq(parsed.xen_entry, IMAGE_ENTRY);
	ck_assert_uint_eq(parsed.entry, 0);
	image_free(image);
	image = image_elf(TEXT_SIZE, LGUEST_ABI_VERSION);
	ck_assert_int_eq(elf_parse("test", image, &parsed), 0);
	ck_assert_uint_eq(parsed.xen_entry, 0);
	image_free(image);
}
END_TEST

START_TEST(notes_of_no_linux_are_refused)
{
	refused_note(0, 18, IMAGE_ENTRY, "or take one with CONFIG_XEN_PV=y");
	refused_note(0, 1, 0x1000123, "not those of a Linux");
	refused_note(0, 1, ~0ULL >> 1, "not those of a Linux");
	refused_note(1, 3, 0xffffffff00000000, "not those of a Linux");
	refused_note(1, 77, 0, "not those of a Linux");
	refused_note(2, 4, 0x1000, "not those of a Linux");
	refused_note(2, 2, 0xffffffff81000000, "a page of hypercalls");
}
END_TEST

/* --- Memory. --- */

static const char *directory;
static char kernel_path[64], initrd_path[64];

static void set_up(struct bytes elf)
{
	directory = unit_directory();
	snprintf(kernel_path, sizeof(kernel_path), "%s/kernel", directory);
	snprintf(initrd_path, sizeof(initrd_path), "%s/initrd", directory);
	image_write(kernel_path, elf);
	image_free(elf);
}

static int build_for(enum options_abi abi, uint64_t size, const char *initrd, const char *line)
{
	char *none[] = { NULL };
	struct options options = { .kernel = kernel_path, .initrd = initrd, .arguments = none,
				   .abi = abi };
	struct boot_request request = { .command_line = (char *)line, .cpus = 1 };
	int error;

	guest_memory_exit(&memory);
	ck_assert_int_eq(guest_memory_init(&memory, size), 0);
	guest_memory_close_hole(&memory);
	error = boot_plan_open(&options, &request);
	if (!error)
		error = boot_plan_abi(&options, &request);
	if (!error)
		error = request.xen ? xen_build(&request, &memory, size, &entry, &rings) :
				      boot_prepare(&request, &memory, &entry);
	boot_plan_close(&request);
	info = error ? NULL : guest_range(&memory, entry.rsi - XEN_KERNEL_MAP, PAGE_SIZE);
	return error;
}

static int build(uint64_t size, const char *initrd, const char *line)
{
	return build_for(ABI_OF_KERNEL, size, initrd, line);
}

START_TEST(start_info_says_where_all_is)
{
	static uint8_t contents[3 * 1024 * 1024 + 5] = { 1 };

	set_up(image_xen_elf(TEXT_SIZE));
	image_write(initrd_path, (struct bytes){ contents, sizeof(contents) });
	ck_assert_msg(!build(64 * MIB, initrd_path, "console=hvc0 quiet"), "%s", unit_last_message);
	ck_assert_uint_eq(entry.rip, IMAGE_ENTRY);
	ck_assert_str_eq((char *)info, "xen-3.0-x86_64");
	/* As Xen's header has them. */
	ck_assert_uint_eq(*(uint64_t *)((char *)info + 32), 64 * MIB / PAGE_SIZE);
	ck_assert_uint_eq(*(uint64_t *)((char *)info + 40), 64 * MIB);
	ck_assert_uint_eq(*(uint32_t *)((char *)info + 48), 8);
	ck_assert_ptr_eq(memory.base + *(uint64_t *)((char *)info + 56) * PAGE_SIZE, rings.store);
	ck_assert_uint_eq(*(uint32_t *)((char *)info + 64), 1);
	ck_assert_ptr_eq(memory.base + *(uint64_t *)((char *)info + 72) * PAGE_SIZE, rings.console);
	ck_assert_uint_eq(*(uint32_t *)((char *)info + 80), 2);
	ck_assert_uint_eq(*(uint64_t *)((char *)info + 88), XEN_KERNEL_MAP + entry.cr3);
	ck_assert_uint_eq(*(uint64_t *)((char *)info + 112), 61 * MIB / PAGE_SIZE - 1);
	ck_assert_uint_eq(*(uint64_t *)((char *)info + 120), sizeof(contents));
	ck_assert_mem_eq(memory.base + 61 * MIB - PAGE_SIZE, contents, sizeof(contents));
	ck_assert_str_eq((char *)info + 128, "console=hvc0 quiet");
	guest_memory_exit(&memory);
}
END_TEST

START_TEST(p2m_is_the_identity)
{
	const uint64_t *p2m;
	uint64_t i;

	set_up(image_xen_elf(TEXT_SIZE));
	ck_assert_int_eq(build(64 * MIB, NULL, ""), 0);
	p2m = guest_range(&memory, info->p2m - XEN_KERNEL_MAP, 8 * info->pages);
	ck_assert_ptr_nonnull(p2m);
	for (i = 0; i < info->pages; i++)
		ck_assert_uint_eq(p2m[i], i);
	ck_assert_uint_eq(info->flags, 0);
	guest_memory_exit(&memory);
}
END_TEST

/* A walk as the CPU does it. Return: the entry of the lowest level, or 0. */
static uint64_t walk(const void *base, uint64_t first, uint64_t table, uint64_t gva)
{
	uint64_t value = 0;
	int level;

	for (level = 4; level >= 1; level--) {
		const uint64_t *at = (const uint64_t *)((const uint8_t *)base + (table - first));

		value = at[gva >> (12 + 9 * (level - 1)) & 511];
		if (!(value & 1))
			return 0;
		/* Of the kernel's alone, and no large page. */
		ck_assert_uint_eq(value & 0x84, 0);
		table = value & PTE_ADDRESS;
	}
	return value;
}

START_TEST(first_tables_map_all_in_small_pages)
{
	uint64_t gpa, mapped = 0, tables;

	set_up(image_xen_elf(TEXT_SIZE));
	ck_assert_int_eq(build(64 * MIB, NULL, ""), 0);
	for (gpa = 0; gpa < 64 * MIB; gpa += PAGE_SIZE) {
		uint64_t value = walk(memory.base, 0, entry.cr3, XEN_KERNEL_MAP + gpa);
		bool image = gpa >= IMAGE_TEXT_GPA && gpa < IMAGE_END;

		if (!value)
			break;
		ck_assert_uint_eq(value, gpa | 0x63 | (image ? 0 : PTE_NO_EXECUTE));
		mapped = gpa + PAGE_SIZE;
	}
	ck_assert_uint_eq(mapped % (4 * MIB), 0);
	ck_assert_uint_ge(mapped, entry.rsp - XEN_KERNEL_MAP + (512 << 10));
	for (; gpa < 64 * MIB; gpa += PAGE_SIZE)
		ck_assert_uint_eq(walk(memory.base, 0, entry.cr3, XEN_KERNEL_MAP + gpa), 0);
	/* Nothing else is mapped; the tables lie where start_info says. */
	ck_assert_uint_eq(walk(memory.base, 0, entry.cr3, 0), 0);
	ck_assert_uint_eq(walk(memory.base, 0, entry.cr3, 0xffff888000000000), 0);
	tables = entry.rsp - PAGE_SIZE - (XEN_KERNEL_MAP + entry.cr3);
	ck_assert_uint_eq(info->table_pages * PAGE_SIZE, tables);
	ck_assert_uint_eq(info->table_pages, 3 + mapped / (2 * MIB));
	guest_memory_exit(&memory);
}
END_TEST

START_TEST(what_does_not_fit_is_refused)
{
	char line[XEN_COMMAND_LINE_MAX + 1];

	set_up(image_xen_elf(TEXT_SIZE));
	unit_refused(build(32 * MIB, NULL, ""), "give it 36m at least");
	ck_assert_int_eq(build(36 * MIB, NULL, ""), 0);
	memset(line, 'x', sizeof(line));
	line[XEN_COMMAND_LINE_MAX] = '\0';
	unit_refused(build(36 * MIB, NULL, line), "too long: 1024 bytes");
	line[XEN_COMMAND_LINE_MAX - 1] = '\0';
	ck_assert_int_eq(build(36 * MIB, NULL, line), 0);
	image_write(initrd_path, (struct bytes){ (uint8_t *)"", 0 });
	ck_assert_int_eq(truncate(initrd_path, 17 * MIB), 0);
	unit_refused(build(36 * MIB, initrd_path, ""), "does not fit");
	unit_refused(build(300ULL << 30, NULL, ""), "would not fit where Linux wants it; 244 GiB fit");
	guest_memory_exit(&memory);
}
END_TEST

START_TEST(kernel_of_the_other_abi_is_refused)
{
	set_up(image_xen_elf(TEXT_SIZE));
	unit_refused(build_for(ABI_LGUEST, 64 * MIB, NULL, ""), "does not speak lguest's ABI");
	ck_assert_int_eq(build_for(ABI_XEN, 64 * MIB, NULL, ""), 0);
	set_up(image_elf(TEXT_SIZE, LGUEST_ABI_VERSION));
	unit_refused(build_for(ABI_XEN, 64 * MIB, NULL, ""), "it lacks CONFIG_XEN_PV=y");
	ck_assert_int_eq(build_for(ABI_OF_KERNEL, 64 * MIB, NULL, ""), 0);
	ck_assert_uint_eq(entry.rsi, BOOT_PARAMS_GPA);
	guest_memory_exit(&memory);
}
END_TEST

/* --- Beside memory. --- */

START_TEST(area_has_a_read_only_m2p)
{
	const uint64_t size = 64 * MIB, frames = size / PAGE_SIZE;
	struct xen_area area;
	uint64_t i;

	ck_assert_int_eq(xen_area_init(&area, size), 0);
	xen_area_fill(&area);
	ck_assert_uint_eq(area.m2p_entry & 0x85, 1);
	for (i = 0; i < frames; i++) {
		uint64_t gva = XEN_M2P + 8 * i, value;

		value = walk(area.base, area.gpa, area.tables_gpa, gva);
		/* The guest reads it, and that is all. */
		ck_assert_uint_eq(value & (1 | PTE_WRITE | PTE_NO_EXECUTE), 1 | PTE_NO_EXECUTE);
		ck_assert_uint_eq(*(uint64_t *)(area.base + (value & PTE_ADDRESS) - area.gpa +
						gva % PAGE_SIZE), i);
	}
	ck_assert_uint_eq(walk(area.base, area.gpa, area.tables_gpa, XEN_M2P + 8 * frames), 0);
	ck_assert_uint_eq(xen_area_grant_frame(&area, 0), frames + 1);
	xen_area_exit(&area);
}
END_TEST

START_TEST(shared_info_begins_with_all_masked)
{
	struct xen_area area;
	unsigned int i;

	ck_assert_int_eq(xen_area_init(&area, 64 * MIB), 0);
	memset(area.base, 0x55, area.size);
	xen_area_fill(&area);
	for (i = 0; i < 32; i++) {
		ck_assert_uint_eq(area.base[64 * i], 0);
		ck_assert_uint_eq(area.base[64 * i + 1], 1);
	}
	for (i = 0; i < 512; i++) {
		ck_assert_uint_eq(area.base[2048 + i], 0);
		ck_assert_uint_eq(area.base[2560 + i], 0xff);
	}
	ck_assert_uint_eq(*(uint32_t *)(area.base + 3072) % 2, 0);
	ck_assert_uint_gt(*(uint32_t *)(area.base + 3076), 1600000000);
	for (i = PAGE_SIZE; i < PAGE_SIZE * (1 + XEN_GRANT_FRAMES); i++)
		ck_assert_uint_eq(area.base[i], 0);
	xen_area_exit(&area);
}
END_TEST

static void leave(void *argument) { (void)argument; }

START_TEST(devices_of_virtio_are_refused)
{
	struct options options = { .kernel = "bz", .cpus = 1, .devices = 1,
				   .device = { { &virtio_vsock_kind, "5" } } };
	struct xen *xen = NULL;

	ck_assert_int_eq(guest_memory_init(&memory, 64 * MIB), 0);
	unit_refused(xen_init(&xen, &options, &memory, leave, NULL), "--vsock=5 does not go with the kernel 'bz'");
	options.device[0] = (struct options_device){ &virtio_block_kind, "vhost-user:x" };
	unit_refused(xen_init(&xen, &options, &memory, leave, NULL), "no other program's");
	for (options.devices = 0; options.devices <= XEN_MAX_NETS; options.devices++)
		options.device[options.devices] = (struct options_device){ &virtio_net_kind, "user" };
	unit_refused(xen_init(&xen, &options, &memory, leave, NULL), "too many network cards");
	ck_assert_ptr_null(xen);
	options.devices = 0;
	options.report_free = true;
	unit_refused(xen_init(&xen, &options, &memory, leave, NULL), "--report-free does not go with");
	options.report_free = false;
	ck_assert_int_eq(xen_init(&xen, &options, &memory, leave, NULL), 0);
	xen_exit(xen);
	guest_memory_exit(&memory);
}
END_TEST

static bool is_done(struct request_guest *guest, const char *words)
{
	char line[32];
	json_t *answer;
	bool done;

	strcpy(line, words);
	answer = request_answer(guest, line);
	done = json_is_true(json_object_get(answer, "ok"));
	json_decref(answer);
	return done;
}

/* Also before there is a guest. */
START_TEST(window_of_the_console_has_no_size)
{
	static struct vm vm;
	struct request_guest guest = { .name = "one" };

	pthread_mutex_init(&guest.lock, NULL);
	ck_assert_int_eq(relay_init(), 0);
	ck_assert(is_done(&guest, "resize 80 25"));
	guest.vm = &vm;
	ck_assert(is_done(&guest, "resize 80 25"));
	vm.xen = (void *)&vm;
	ck_assert(!is_done(&guest, "resize 80 25"));
	relay_exit();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("Xen");

	UNIT_ADD(suite, notes_say_that_a_kernel_speaks_xen);
	UNIT_ADD(suite, notes_of_no_linux_are_refused);
	UNIT_ADD(suite, start_info_says_where_all_is);
	UNIT_ADD(suite, p2m_is_the_identity);
	UNIT_ADD(suite, first_tables_map_all_in_small_pages);
	UNIT_ADD(suite, what_does_not_fit_is_refused);
	UNIT_ADD(suite, kernel_of_the_other_abi_is_refused);
	UNIT_ADD(suite, area_has_a_read_only_m2p);
	UNIT_ADD(suite, shared_info_begins_with_all_masked);
	UNIT_ADD(suite, devices_of_virtio_are_refused);
	UNIT_ADD(suite, window_of_the_console_has_no_size);
	return unit_run(suite);
}
