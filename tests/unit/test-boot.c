// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is in the guest's memory when it starts.
 */
#include <asm/bootparam.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "boot/boot.h"
#include "boot/plan.h"
#include "option/config.h"
#include "images.h"
#include "lguest_abi.h"
#include "memory.h"
#include "boot/pagetables.h"
#include "unit.h"

#define MIB	(1ULL << 20)
#define GIB	(1ULL << 30)
#define PAGE_ADDRESS	0x000ffffffffff000ULL

static struct guest_memory memory;
static struct boot_entry entry;
static struct boot_params *params;
static unsigned int cpus = 1;
static const char *directory;
static char kernel_path[64], initrd_path[64];

static void set_up(void)
{
	struct bytes elf = image_elf(5000, LGUEST_ABI_VERSION), image;

	directory = unit_directory();
	snprintf(kernel_path, sizeof(kernel_path), "%s/kernel", directory);
	snprintf(initrd_path, sizeof(initrd_path), "%s/initrd", directory);
	image = image_bzimage(ZSTD, elf);
	image_write(kernel_path, image);
	image_free(image);
	image_free(elf);
}

static void tear_down(void)
{
	guest_memory_exit(&memory);
}

static int prepare(uint64_t size, const char *initrd, const char *line)
{
	char *none[] = { NULL };
	struct options options = { .kernel = kernel_path, .initrd = initrd, .arguments = none };
	struct boot_request request = { .command_line = (char *)line, .cpus = cpus };
	int error;

	guest_memory_exit(&memory);
	ck_assert_int_eq(guest_memory_init(&memory, size), 0);
	params = guest_range(&memory, BOOT_PARAMS_GPA, sizeof(*params));
	error = boot_plan_open(&options, &request);
	if (!error)
		error = boot_prepare(&request, &memory, &entry);
	boot_plan_close(&request);
	return error;
}

START_TEST(memory_has_a_hole)
{
	ck_assert_int_eq(guest_memory_init(&memory, 5 * GIB), 0);
	ck_assert_uint_eq(memory.low, LGUEST_HOLE_START);
	ck_assert_ptr_eq(guest_range(&memory, 0, LGUEST_HOLE_START), memory.base);
	ck_assert_ptr_null(guest_range(&memory, 0, LGUEST_HOLE_START + 1));
	ck_assert_ptr_null(guest_range(&memory, LGUEST_HOLE_START, 1));
	ck_assert_ptr_null(guest_range(&memory, LGUEST_HOLE_END - 1, 1));
	ck_assert_ptr_null(guest_range(&memory, LGUEST_HOLE_END - 1, 2));
	ck_assert_ptr_eq(guest_range(&memory, LGUEST_HOLE_END, 5 * GIB - LGUEST_HOLE_START),
			 memory.base + LGUEST_HOLE_START);
	ck_assert_ptr_null(guest_range(&memory, LGUEST_HOLE_END, 5 * GIB - LGUEST_HOLE_START + 1));
	ck_assert_ptr_null(guest_range(&memory, ~0ULL, 1));
	ck_assert_ptr_null(guest_range(&memory, LGUEST_HOLE_END, ~0ULL));
	ck_assert_ptr_null(guest_range(&memory, 4096, ~0ULL));
	guest_memory_exit(&memory);
}
END_TEST

START_TEST(small_memory_ends_where_it_should)
{
	ck_assert_int_eq(guest_memory_init(&memory, 64 * MIB), 0);
	ck_assert_ptr_eq(guest_range(&memory, 64 * MIB - 1, 1), memory.base + 64 * MIB - 1);
	ck_assert_ptr_null(guest_range(&memory, 64 * MIB - 1, 2));
	ck_assert_ptr_null(guest_range(&memory, 64 * MIB, 1));
	ck_assert_ptr_null(guest_range(&memory, LGUEST_HOLE_END, 1));
	guest_memory_exit(&memory);
}
END_TEST

/* Walk the page tables as the CPU does. Return: false if nothing is mapped. */
static bool walk(uint64_t gva, uint64_t *gpa)
{
	uint64_t table = BOOT_PAGE_TABLES_GPA, value = 0;
	int level;

	for (level = 4; level >= 2; level--) {
		const uint64_t *at = guest_range(&memory, table, 4096);

		ck_assert_ptr_nonnull(at);
		value = at[gva >> (12 + 9 * (level - 1)) & 511];
		if (!(value & 1))
			return false;
		/* Writable, accessed, dirty, not for user mode, large only at the end. */
		ck_assert_uint_eq(value & 0xfff, level == 2 ? 0xe3 : 0x63);
		ck_assert_uint_eq(value >> 52, 0);
		table = value & PAGE_ADDRESS;
	}
	*gpa = table + gva % (2 * MIB);
	return true;
}

static void is_mapped_at(uint64_t base, uint64_t size)
{
	uint64_t offset, gpa;

	for (offset = 0; offset < size; offset += 2 * MIB) {
		ck_assert_msg(walk(base + offset, &gpa), "nothing at %lx", base + offset);
		ck_assert_uint_eq(gpa, offset);
	}
	ck_assert(walk(base + size - 1, &gpa));
	ck_assert_uint_eq(gpa, size - 1);
}

static void tables_are_right(uint64_t size)
{
	uint64_t low, gpa;

	ck_assert_int_eq(guest_memory_init(&memory, size), 0);
	low = memory.low;
	ck_assert_int_eq(page_tables_build(&memory, BOOT_PAGE_TABLES_GPA), 0);
	is_mapped_at(0, low);
	is_mapped_at(0xffff888000000000, low);
	is_mapped_at(0xffffffff80000000, low < GIB ? low : GIB);
	low = (low + 2 * MIB - 1) / (2 * MIB) * (2 * MIB);
	ck_assert(!walk(low, &gpa));
	ck_assert(!walk(0xffff888000000000 + low, &gpa));
	if (low < GIB)
		ck_assert(!walk(0xffffffff80000000 + low, &gpa));
	ck_assert(!walk(0xffffffffc0000000, &gpa));
	ck_assert(!walk(0xffff800000000000, &gpa));
	ck_assert(!walk(0xffff887fffffffff, &gpa));
	ck_assert(!walk(0x7fffffffffff, &gpa));
	guest_memory_exit(&memory);
}

START_TEST(page_tables_map_all_that_the_abi_says)
{
	tables_are_right(16 * MIB);
	tables_are_right(64 * MIB);
	tables_are_right(65 * MIB);
	tables_are_right(GIB);
	tables_are_right(GIB + 2 * MIB);
	tables_are_right(3 * GIB);
	tables_are_right(5 * GIB);
}
END_TEST

START_TEST(page_tables_must_be_in_memory)
{
	ck_assert_int_eq(guest_memory_init(&memory, 64 * MIB), 0);
	ck_assert_int_lt(page_tables_build(&memory, 64 * MIB), 0);
	ck_assert_int_lt(page_tables_build(&memory, 64 * MIB - 4096), 0);
	ck_assert_int_lt(page_tables_build(&memory, 0x4010), 0);
	guest_memory_exit(&memory);
}
END_TEST

START_TEST(boot_params_say_what_the_kernel_must_know)
{
	set_up();
	ck_assert_int_eq(prepare(64 * MIB, NULL, "console=hvc0 quiet"), 0);
	ck_assert_uint_eq(entry.rip, IMAGE_ENTRY);
	ck_assert_uint_eq(entry.rsi, BOOT_PARAMS_GPA);
	ck_assert_uint_eq(entry.cr3, BOOT_PAGE_TABLES_GPA);
	ck_assert_uint_eq(params->sentinel, 0);
	ck_assert_uint_eq(params->hdr.type_of_loader, 0xff);
	ck_assert_uint_eq(params->hdr.hardware_subarch, LGUEST_SUBARCH);
	ck_assert_uint_eq(params->hdr.boot_flag, 0xaa55);
	ck_assert_uint_eq(params->hdr.header, 0x53726448);
	ck_assert_uint_eq(params->hdr.loadflags, LOADED_HIGH);
	ck_assert_uint_eq(params->hdr.setup_data, 0);
	ck_assert_uint_eq(params->hdr.kernel_alignment, 0x200000);
	ck_assert_uint_eq(params->hdr.ramdisk_size, 0);
	ck_assert_str_eq(guest_range(&memory, params->hdr.cmd_line_ptr, 32), "console=hvc0 quiet");
	tear_down();
}
END_TEST

START_TEST(boot_params_say_how_many_cpus)
{
	set_up();
	for (cpus = 1; cpus <= 16; cpus++) {
		ck_assert_int_eq(prepare(64 * MIB, NULL, ""), 0);
		ck_assert_uint_eq(params->hdr.hardware_subarch, LGUEST_SUBARCH);
		ck_assert_uint_eq(params->hdr.hardware_subarch_data, cpus);
	}
	tear_down();
}
END_TEST

static void region_is(int index, uint64_t from, uint64_t to, uint32_t type)
{
	ck_assert_int_lt(index, params->e820_entries);
	ck_assert_uint_eq(params->e820_table[index].addr, from);
	ck_assert_uint_eq(params->e820_table[index].size, to - from);
	ck_assert_uint_eq(params->e820_table[index].type, type);
}

START_TEST(memory_map_is_right)
{
	set_up();
	ck_assert_int_eq(prepare(64 * MIB, NULL, ""), 0);
	ck_assert_uint_eq(params->e820_entries, 3);
	region_is(0, 0, 0xa0000, 1);
	region_is(1, 0xa0000, 0x100000, 2);
	region_is(2, 0x100000, 64 * MIB, 1);
	ck_assert_int_eq(prepare(5 * GIB, NULL, ""), 0);
	ck_assert_uint_eq(params->e820_entries, 4);
	region_is(2, 0x100000, LGUEST_HOLE_START, 1);
	region_is(3, LGUEST_HOLE_END, LGUEST_HOLE_END + 5 * GIB - LGUEST_HOLE_START, 1);
	tear_down();
}
END_TEST

START_TEST(initrd_lies_at_the_top)
{
	static uint8_t contents[3 * 1024 * 1024 + 5];
	struct bytes initrd = { contents, sizeof(contents) };

	set_up();
	contents[0] = 1;
	contents[sizeof(contents) - 1] = 2;
	image_write(initrd_path, initrd);
	ck_assert_int_eq(prepare(64 * MIB, initrd_path, ""), 0);
	ck_assert_uint_eq(params->hdr.ramdisk_size, sizeof(contents));
	ck_assert_uint_eq(params->hdr.ramdisk_image, 64 * MIB - 3 * MIB - 4096);
	ck_assert_mem_eq(guest_range(&memory, params->hdr.ramdisk_image, sizeof(contents)), contents,
			 sizeof(contents));
	/* The initrd lies no higher than the kernel can reach. */
	ck_assert_int_eq(prepare(3 * GIB, initrd_path, ""), 0);
	ck_assert_uint_eq(params->hdr.ramdisk_image, 2 * GIB - 3 * MIB - 4096);
	tear_down();
}
END_TEST

START_TEST(initrd_that_does_not_fit_is_refused)
{
	set_up();
	ck_assert_int_eq(prepare(64 * MIB, NULL, ""), 0);
	unit_refused(prepare(64 * MIB, "/nonexistent", ""), "can't open the initrd");
	unit_refused(prepare(64 * MIB, "/tmp", ""), "is not a file");
	image_write(initrd_path, (struct bytes){ (uint8_t *)"", 0 });
	ck_assert_int_eq(truncate(initrd_path, 45 * MIB), 0);
	ck_assert_int_eq(prepare(64 * MIB, initrd_path, ""), 0);
	ck_assert_int_eq(truncate(initrd_path, 46 * MIB), 0);
	unit_refused(prepare(64 * MIB, initrd_path, ""), "needs a guest of 69m at least");
	ck_assert_int_eq(truncate(initrd_path, 100 * GIB), 0);
	unit_refused(prepare(64 * MIB, initrd_path, ""), "does not fit");
	tear_down();
}
END_TEST

START_TEST(memory_too_small_is_refused_with_what_is_enough)
{
	set_up();
	unit_refused(prepare(4096, NULL, ""), "too small a guest");
	unit_refused(prepare(1 * MIB, NULL, ""), "1 MiB is too small a guest");
	unit_refused(prepare(20 * MIB, NULL, ""), "give it 23m at least");
	ck_assert_int_eq(prepare(23 * MIB, NULL, ""), 0);
	tear_down();
}
END_TEST

START_TEST(command_line_that_is_too_long_is_refused)
{
	static char line[5000];

	set_up();
	memset(line, 'x', 2047);
	ck_assert_int_eq(prepare(64 * MIB, NULL, line), 0);
	line[2047] = 'x';
	unit_refused(prepare(64 * MIB, NULL, line), "2048 bytes, this kernel takes 2047");
	memset(line, 'x', sizeof(line) - 1);
	unit_refused(prepare(64 * MIB, NULL, line), "too long");
	tear_down();
}
END_TEST

START_TEST(kernel_that_is_no_file_is_refused)
{
	set_up();
	unlink(kernel_path);
	unit_refused(prepare(64 * MIB, NULL, ""), "can't open the kernel");
	ck_assert_int_eq(symlink("/dev/zero", kernel_path), 0);
	unit_refused(prepare(64 * MIB, NULL, ""), "is not a file");
	tear_down();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("boot");

	UNIT_ADD(suite, memory_has_a_hole);
	UNIT_ADD(suite, small_memory_ends_where_it_should);
	UNIT_ADD(suite, page_tables_map_all_that_the_abi_says);
	UNIT_ADD(suite, page_tables_must_be_in_memory);
	UNIT_ADD(suite, boot_params_say_what_the_kernel_must_know);
	UNIT_ADD(suite, boot_params_say_how_many_cpus);
	UNIT_ADD(suite, memory_map_is_right);
	UNIT_ADD(suite, initrd_lies_at_the_top);
	UNIT_ADD(suite, initrd_that_does_not_fit_is_refused);
	UNIT_ADD(suite, memory_too_small_is_refused_with_what_is_enough);
	UNIT_ADD(suite, command_line_that_is_too_long_is_refused);
	UNIT_ADD(suite, kernel_that_is_no_file_is_refused);
	return unit_run(suite);
}
