// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kernels with random damage, the same in each run. Whatever the damage: the result is a
 * good kernel or one message, and the sanitizers find nothing.
 */
#include <stdlib.h>

#include "images.h"
#include "boot/kernel.h"
#include "lguest_abi.h"
#include "memory.h"
#include "unit.h"

#define ROUNDS	4000
#define MIB	(1ULL << 20)

static struct guest_memory memory;

/* Return: a number that often breaks parsers, or any other. */
static uint64_t nasty(void)
{
	static const uint64_t numbers[] = {
		0, 1, 4, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000,
		0xfffffffc, 0xffffffff, 0x100000000, 0x7fffffffffffffff, 0xffffffffffffffff,
	};
	uint64_t r = unit_random();

	return r & 1 ? r >> 1 : numbers[r >> 1 & 15];
}

/* Damage some places between @from and @to. The images are small, so most damage matters. */
static void damage(uint8_t *at, size_t from, size_t to)
{
	int count = 1 + unit_random() % 4;

	while (count--) {
		size_t place = from + unit_random() % (to - from);
		size_t size = 1 << unit_random() % 4;
		uint64_t value = nasty();

		if (size > to - place)
			size = to - place;
		memcpy(at + place, &value, size);
	}
}

/* Return: true if the kernel is good all the same. */
static int try(struct bytes image)
{
	size_t size = unit_random() % 8 ? image.size : unit_random() % image.size;
	struct kernel kernel;
	int error;

	unit_forget();
	error = kernel_parse(&kernel, "fuzz", image_copy(image, size));
	if (error) {
		ck_assert_int_lt(error, 0);
		ck_assert_int_eq(unit_messages, 1);
		return 0;
	}
	ck_assert_int_eq(unit_messages, 0);
	ck_assert_uint_ge(kernel.image.start, MIB);
	ck_assert_uint_le(kernel.image.end, LGUEST_HOLE_START);
	kernel_load(&kernel, &memory);
	kernel_close(&kernel);
	return 1;
}

static void fuzz(struct bytes image, size_t from, size_t to, int rounds)
{
	int good = 0, round;

	ck_assert_int_eq(guest_memory_init(&memory, 32 * MIB), 0);
	for (round = 0; round < rounds; round++) {
		struct bytes copy = image_copy(image, image.size);

		damage((uint8_t *)copy.at, from, to);
		good += try(copy);
		image_free(copy);
	}
	/* Otherwise the damage is too heavy or too light to find anything. */
	ck_assert_int_lt(good, rounds);
	guest_memory_exit(&memory);
}

START_TEST(damaged_elf_headers_and_notes)
{
	struct bytes elf = image_elf(500, LGUEST_ABI_VERSION);

	fuzz(elf, 0, sizeof(struct image_head), ROUNDS * 4);
	image_free(elf);
}
END_TEST

START_TEST(damaged_bzimage_headers)
{
	struct bytes elf = image_elf(500, LGUEST_ABI_VERSION);
	struct bytes image = image_bzimage(LZ4, elf);

	fuzz(image, 0x1f1, 0x280, ROUNDS);
	image_free(image);
	image_free(elf);
}
END_TEST

START_TEST(damaged_payloads)
{
	struct bytes elf = image_elf(500, LGUEST_ABI_VERSION);
	int format;

	for (format = 0; format < IMAGE_FORMATS; format++) {
		struct bytes image = image_bzimage(format, elf);
		/* Not the last four bytes: a wrong size is found too soon. */
		size_t end = image.size - 32 - 4;

		fuzz(image, IMAGE_PAYLOAD_OFFSET, end, ROUNDS / 4);
		/* Parsers go wrong most often in the formats' headers. */
		fuzz(image, IMAGE_PAYLOAD_OFFSET, IMAGE_PAYLOAD_OFFSET + 48, ROUNDS / 2);
		image_free(image);
	}
	image_free(elf);
}
END_TEST

/* Damage the kernel before it is compressed. */
START_TEST(damaged_elf_in_good_bzimage)
{
	int round;

	ck_assert_int_eq(guest_memory_init(&memory, 32 * MIB), 0);
	for (round = 0; round < ROUNDS; round++) {
		struct bytes elf = image_elf(500, LGUEST_ABI_VERSION), image;

		damage((uint8_t *)elf.at, 0, sizeof(struct image_head));
		image = image_bzimage(GZIP, elf);
		try(image);
		image_free(image);
		image_free(elf);
	}
	guest_memory_exit(&memory);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fuzz");

	UNIT_ADD(suite, damaged_elf_headers_and_notes);
	UNIT_ADD(suite, damaged_bzimage_headers);
	UNIT_ADD(suite, damaged_payloads);
	UNIT_ADD(suite, damaged_elf_in_good_bzimage);
	return unit_run(suite);
}
