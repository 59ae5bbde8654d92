// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kernels in bzImages: a good one comes out as it went in, any other is refused with
 * one line.
 */
#include <asm/bootparam.h>
#include <stdlib.h>

#include "boot/bzimage.h"
#include "base/compiler.h"
#include "images.h"
#include "boot/kernel.h"
#include "lguest_abi.h"
#include "memory.h"
#include "boot/payload.h"
#include "unit.h"

#define HEADER(image) ((struct setup_header *)((image).at + 0x1f1))

/* Return: a bzImage whose payload has this format, for tests that loop over all formats. */
static struct bytes make(int format, size_t text_size)
{
	struct bytes elf = image_elf(text_size, LGUEST_ABI_VERSION), image;

	image = image_bzimage(format, elf);
	image_free(elf);
	return image;
}

static int parse(struct bytes image, size_t size, struct kernel *kernel)
{
	return kernel_parse(kernel, "test", image_copy(image, size));
}

static void comes_out_as_it_went_in(int format, size_t text_size)
{
	struct bytes elf = image_elf(text_size, LGUEST_ABI_VERSION);
	struct bytes image = image_bzimage(format, elf);
	struct kernel kernel;

	ck_assert_msg(!parse(image, image.size, &kernel), "%s: %s", image_format_names[format],
		      unit_last_message);
	ck_assert_uint_eq(kernel.contents.size, elf.size);
	ck_assert_mem_eq(kernel.contents.at, elf.at, elf.size);
	ck_assert_uint_eq(kernel.image.entry, IMAGE_ENTRY);
	ck_assert_uint_eq(kernel.image.start, IMAGE_TEXT_GPA);
	ck_assert_uint_eq(kernel.image.end, IMAGE_DATA_GPA + text_size + 512 + IMAGE_BSS_SIZE);
	ck_assert_uint_eq(kernel.header.version, 0x020f);
	ck_assert_uint_eq(kernel.header.initrd_addr_max, 0x7fffffff);
	kernel_close(&kernel);
	image_free(image);
	image_free(elf);
	ck_assert_int_eq(unit_messages, 0);
}

START_TEST(each_compression_is_undone)
{
	int format;

	for (format = 0; format < IMAGE_FORMATS; format++)
		comes_out_as_it_went_in(format, 5000);
}
END_TEST

/* More than one block of lz4 (8 MiB) and of lzop (256 KiB). */
START_TEST(large_payloads_of_many_blocks_are_undone)
{
	comes_out_as_it_went_in(LZ4, 20 << 20);
	comes_out_as_it_went_in(LZO, 3 << 20);
	comes_out_as_it_went_in(ZSTD, 9 << 20);
}
END_TEST

START_TEST(truncated_at_every_length_is_refused)
{
	struct kernel kernel;
	int format;
	size_t size;

	for (format = 0; format < IMAGE_FORMATS; format++) {
		struct bytes image = make(format, 1000);
		size_t end = IMAGE_PAYLOAD_OFFSET + HEADER(image)->payload_length;

		for (size = 0; size < end; size++) {
			int error = parse(image, size, &kernel);

			ck_assert_msg(error < 0, "%s, %zu of %zu bytes", image_format_names[format],
				      size, end);
			ck_assert_int_eq(unit_messages, 1);
			unit_forget();
		}
		image_free(image);
	}
}
END_TEST

/*
 * The file is complete, but the payload in it is cut off. Then four random bytes give
 * its size, often up to half a GiB: so this test tries fewer lengths.
 */
START_TEST(payload_truncated_is_refused)
{
	struct kernel kernel;
	uint32_t length;
	int format;

	for (format = 0; format < IMAGE_FORMATS; format++) {
		struct bytes image = make(format, 200);
		uint32_t full = HEADER(image)->payload_length;

		for (length = 0; length < full; length += 7) {
			HEADER(image)->payload_length = length;
			ck_assert_msg(parse(image, image.size, &kernel) < 0, "%s, %u of %u bytes",
				      image_format_names[format], length, full);
			ck_assert_int_eq(unit_messages, 1);
			unit_forget();
		}
		image_free(image);
	}
}
END_TEST

/* The payload's last bytes give a wrong size: a little wrong, and huge. */
START_TEST(payload_of_another_size_is_refused)
{
	static const int64_t changes[] = { -100, -1, 1, 100, 1 << 20, 1 << 28, 0x7fffffff };
	struct kernel kernel;
	size_t i;
	int format;

	for (format = 0; format < IMAGE_FORMATS; format++) {
		struct bytes image = make(format, 1000);
		uint8_t *last = (uint8_t *)image.at + IMAGE_PAYLOAD_OFFSET +
				HEADER(image)->payload_length - 4;
		uint32_t size = get_le32(last), changed;

		for (i = 0; i < ARRAY_SIZE(changes); i++) {
			changed = size + changes[i];
			memcpy(last, &changed, 4);
			ck_assert_msg(parse(image, image.size, &kernel) < 0, "%s by %ld",
				      image_format_names[format], (long)changes[i]);
			ck_assert_int_eq(unit_messages, 1);
			unit_forget();
		}
		changed = 0;
		memcpy(last, &changed, 4);
		unit_refused(parse(image, image.size, &kernel), "can't be 0 bytes");
		image_free(image);
	}
}
END_TEST

START_TEST(offsets_that_overflow_are_refused)
{
	static const uint32_t hostile[] = { 0xffffffff, 0xfffffffe, 0x80000000, 0x7fffffff, 100000 };
	struct bytes image = make(GZIP, 1000);
	uint32_t length = HEADER(image)->payload_length;
	struct kernel kernel;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(hostile); i++) {
		HEADER(image)->payload_offset = hostile[i];
		unit_refused(parse(image, image.size, &kernel), "truncated");
		HEADER(image)->payload_length = hostile[i];
		unit_refused(parse(image, image.size, &kernel), "truncated");
		HEADER(image)->payload_offset = 64;
		unit_refused(parse(image, image.size, &kernel), "truncated");
		HEADER(image)->payload_length = length;
	}
	HEADER(image)->setup_sects = 255;
	unit_refused(parse(image, image.size, &kernel), "truncated");
	image_free(image);
}
END_TEST

START_TEST(unknown_compression_is_refused)
{
	struct bytes image = make(GZIP, 1000);
	struct kernel kernel;

	memset((uint8_t *)image.at + IMAGE_PAYLOAD_OFFSET, 0x55, 16);
	unit_refused(parse(image, image.size, &kernel), "no known compression");
	image_free(image);
}
END_TEST

START_TEST(corrupt_payload_with_checksum_is_refused)
{
	static const int checked[] = { GZIP, BZIP2, XZ, LZO };
	struct kernel kernel;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(checked); i++) {
		struct bytes image = make(checked[i], 8000);

		((uint8_t *)image.at)[IMAGE_PAYLOAD_OFFSET + 1500] ^= 0x10;
		unit_refused(parse(image, image.size, &kernel), "does not unpack");
		image_free(image);
	}
}
END_TEST

START_TEST(old_and_odd_headers_are_refused)
{
	struct bytes image = make(GZIP, 1000);
	struct kernel kernel;

	HEADER(image)->version = 0x0207;
	unit_refused(parse(image, image.size, &kernel), "too old: boot protocol 2.07");
	HEADER(image)->version = 0x020f;
	HEADER(image)->loadflags = 0;
	unit_refused(parse(image, image.size, &kernel), "too old");
	HEADER(image)->loadflags = LOADED_HIGH;
	HEADER(image)->boot_flag = 0;
	unit_refused(parse(image, image.size, &kernel), "no boot header");
	image_free(image);
}
END_TEST

START_TEST(payload_that_is_no_elf_is_refused)
{
	static const uint8_t text[4096] = "this is no kernel";
	struct bytes image = image_bzimage(ZSTD, (struct bytes){ text, sizeof(text) });
	struct kernel kernel;

	unit_refused(parse(image, image.size, &kernel), "not an ELF file");
	image_free(image);
}
END_TEST

START_TEST(other_files_are_refused)
{
	static const uint8_t text[2048] = "#!/bin/sh\n";
	struct bytes image = { text, sizeof(text) };
	struct kernel kernel;
	size_t size;

	for (size = 0; size <= sizeof(text); size++)
		unit_refused(parse(image, size, &kernel), "neither a bzImage nor an ELF");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bzImage");

	UNIT_ADD(suite, each_compression_is_undone);
	UNIT_ADD(suite, large_payloads_of_many_blocks_are_undone);
	UNIT_ADD(suite, truncated_at_every_length_is_refused);
	UNIT_ADD(suite, payload_truncated_is_refused);
	UNIT_ADD(suite, payload_of_another_size_is_refused);
	UNIT_ADD(suite, offsets_that_overflow_are_refused);
	UNIT_ADD(suite, unknown_compression_is_refused);
	UNIT_ADD(suite, corrupt_payload_with_checksum_is_refused);
	UNIT_ADD(suite, old_and_odd_headers_are_refused);
	UNIT_ADD(suite, payload_that_is_no_elf_is_refused);
	UNIT_ADD(suite, other_files_are_refused);
	return unit_run(suite);
}
