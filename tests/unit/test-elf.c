// SPDX-License-Identifier: GPL-2.0-only
/*
 * Plain ELF kernels: what is loaded where, and which lies are found.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/compiler.h"
#include "boot/elf_image.h"
#include "images.h"
#include "boot/kernel.h"
#include "lguest_abi.h"
#include "memory.h"
#include "unit.h"

#define TEXT_SIZE	3000
#define MIB		(1ULL << 20)

static struct bytes image;
static struct image_head *head;
static struct elf_image parsed;

static void make(void)
{
	image = image_elf(TEXT_SIZE, LGUEST_ABI_VERSION);
	head = (struct image_head *)image.at;
}

static void refused(const char *words)
{
	unit_refused(elf_parse("test", image, &parsed), words);
}

static void accepted(void)
{
	ck_assert_msg(!elf_parse("test", image, &parsed), "%s", unit_last_message);
}

START_TEST(good_kernel_is_loaded_where_it_wants)
{
	struct guest_memory memory;
	struct kernel kernel;

	make();
	ck_assert_int_eq(guest_memory_init(&memory, 64 * MIB), 0);
	ck_assert_int_eq(kernel_parse(&kernel, "test", image_copy(image, image.size)), 0);
	ck_assert_int_eq(kernel_load(&kernel, &memory), 0);
	ck_assert_mem_eq(memory.base + IMAGE_TEXT_GPA, head + 1, TEXT_SIZE);
	ck_assert_mem_eq(memory.base + IMAGE_DATA_GPA + TEXT_SIZE,
			 (uint8_t *)(head + 1) + TEXT_SIZE, 512);
	ck_assert_uint_eq(memory.base[IMAGE_DATA_GPA + TEXT_SIZE + 512], 0);
	ck_assert_uint_eq(kernel.image.entry, IMAGE_ENTRY);
	kernel_close(&kernel);
	guest_memory_exit(&memory);
	image_free(image);
}
END_TEST

START_TEST(kernel_beyond_memory_is_not_loaded)
{
	struct guest_memory memory;
	struct kernel kernel;

	make();
	ck_assert_int_eq(guest_memory_init(&memory, 18 * MIB), 0);
	ck_assert_int_eq(kernel_parse(&kernel, "test", image_copy(image, image.size)), 0);
	ck_assert_int_lt(kernel_load(&kernel, &memory), 0);
	kernel_close(&kernel);
	guest_memory_exit(&memory);
	image_free(image);
}
END_TEST

START_TEST(truncated_at_every_length_is_refused)
{
	size_t size;

	make();
	for (size = 0; size < image.size; size++) {
		struct bytes part = image_copy(image, size);

		ck_assert_msg(elf_parse("test", part, &parsed) < 0, "%zu bytes", size);
		ck_assert_int_eq(unit_messages, 1);
		unit_forget();
		image_free(part);
	}
	image_free(image);
}
END_TEST

START_TEST(kernel_without_lguest_support_is_told_how_to_get_it)
{
	make();
	head->entry.header.n_type = 77;
	refused("no lguest support: build one with");
	head->entry.header.n_type = LGUEST_ELFNOTE_ENTRY;
	memcpy(head->abi.name, "Xguest", 7);
	refused("no lguest support");
	memcpy(head->abi.name, LGUEST_ELFNOTE_NAME, 7);
	head->phdr[2].p_type = PT_NULL;
	refused("no lguest support");
	image_free(image);
}
END_TEST

START_TEST(another_abi_version_is_refused_with_both_versions)
{
	char words[64];

	image = image_elf(TEXT_SIZE, LGUEST_ABI_VERSION + 7);
	snprintf(words, sizeof(words), "version %u of the guest ABI, this lguest version %u",
		 LGUEST_ABI_VERSION + 7, LGUEST_ABI_VERSION);
	refused(words);
	image_free(image);
}
END_TEST

START_TEST(hostile_segments_are_refused)
{
	static const uint64_t hostile[] = {
		~0ULL, ~0ULL - 4095, 1ULL << 63, 1ULL << 32, LGUEST_HOLE_START,
	};
	size_t i;

	make();
	for (i = 0; i < ARRAY_SIZE(hostile); i++) {
		Elf64_Phdr good = head->phdr[0];

		head->phdr[0].p_offset = hostile[i];
		refused("outside the file");
		head->phdr[0] = good;
		head->phdr[0].p_filesz = hostile[i];
		head->phdr[0].p_memsz = hostile[i];
		refused("outside the file");
		head->phdr[0] = good;
		head->phdr[0].p_memsz = hostile[i];
		refused("where there is no memory");
		head->phdr[0] = good;
		head->phdr[0].p_paddr = hostile[i];
		refused("where there is no memory");
		head->phdr[0] = good;
	}
	head->phdr[0].p_memsz = TEXT_SIZE - 1;
	refused("larger in the file");
	head->phdr[0].p_memsz = TEXT_SIZE;
	head->phdr[0].p_paddr = 0x1000;		/* where boot_params will be */
	refused("where there is no memory");
	head->phdr[0].p_paddr = IMAGE_TEXT_GPA;
	accepted();
	image_free(image);
}
END_TEST

START_TEST(nothing_to_load_is_refused)
{
	make();
	head->phdr[0].p_memsz = 0;
	head->phdr[1].p_type = PT_NULL;
	refused("nothing to load");
	image_free(image);
}
END_TEST

START_TEST(hostile_headers_are_refused)
{
	make();
	head->ehdr.e_phoff = ~0ULL;
	refused("program headers are not complete");
	head->ehdr.e_phoff = image.size - 10;
	refused("program headers are not complete");
	head->ehdr.e_phoff = offsetof(struct image_head, phdr);
	head->ehdr.e_phnum = 65535;
	ck_assert_int_lt(elf_parse("test", image, &parsed), 0);
	unit_forget();
	head->ehdr.e_phnum = 0;
	refused("no program headers");
	head->ehdr.e_phnum = IMAGE_PHDRS;
	head->ehdr.e_phentsize = 32;
	refused("no program headers");
	head->ehdr.e_phentsize = sizeof(Elf64_Phdr);
	head->ehdr.e_machine = EM_AARCH64;
	refused("not an x86-64 kernel");
	head->ehdr.e_machine = EM_X86_64;
	head->ehdr.e_ident[EI_CLASS] = ELFCLASS32;
	refused("not an x86-64 kernel");
	head->ehdr.e_ident[EI_CLASS] = ELFCLASS64;
	head->ehdr.e_type = ET_REL;
	refused("not a kernel");
	head->ehdr.e_type = ET_DYN;
	accepted();
	image_free(image);
}
END_TEST

START_TEST(too_many_segments_are_refused)
{
	size_t i, size = sizeof(Elf64_Ehdr) + (ELF_MAX_SEGMENTS + 1) * sizeof(Elf64_Phdr);
	uint8_t *at = calloc(1, size);
	Elf64_Phdr *phdr = (Elf64_Phdr *)(at + sizeof(Elf64_Ehdr));

	make();
	memcpy(at, &head->ehdr, sizeof(head->ehdr));
	((Elf64_Ehdr *)at)->e_phoff = sizeof(Elf64_Ehdr);
	((Elf64_Ehdr *)at)->e_phnum = ELF_MAX_SEGMENTS + 1;
	for (i = 0; i <= ELF_MAX_SEGMENTS; i++)
		phdr[i] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_paddr = 16 * MIB, .p_memsz = 1 };
	image_free(image);
	image = (struct bytes){ at, size };
	refused("too many segments");
	image_free(image);
}
END_TEST

START_TEST(hostile_notes_are_refused)
{
	static const uint32_t hostile[] = { 0xffffffff, 0xfffffffd, 0x80000000, 10000 };
	size_t i;

	make();
	for (i = 0; i < ARRAY_SIZE(hostile); i++) {
		head->other.header.n_namesz = hostile[i];
		refused("a note is not complete");
		head->other.header.n_namesz = 6;
		head->other.header.n_descsz = hostile[i];
		refused("a note is not complete");
		head->other.header.n_descsz = 5;
		head->phdr[2].p_offset = hostile[i];
		refused("notes lie outside");
		head->phdr[2].p_offset = offsetof(struct image_head, other);
	}
	head->entry.header.n_descsz = 4;	/* half an address; what follows is off */
	ck_assert_int_lt(elf_parse("test", image, &parsed), 0);
	image_free(image);
}
END_TEST

START_TEST(last_note_may_lack_its_padding)
{
	make();
	head->abi.header.n_descsz = 5;
	head->phdr[2].p_filesz -= 3;
	accepted();
	image_free(image);
}
END_TEST

START_TEST(entry_outside_the_kernel_is_refused)
{
	static const uint64_t hostile[] = { 0, 0x1000000, 0x8000000000000000, 0xffff888000000000 };
	size_t i;

	make();
	for (i = 0; i < ARRAY_SIZE(hostile); i++) {
		memcpy(head->entry.contents, &hostile[i], 8);
		refused("not a kernel address");
	}
	image_free(image);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ELF");

	UNIT_ADD(suite, good_kernel_is_loaded_where_it_wants);
	UNIT_ADD(suite, kernel_beyond_memory_is_not_loaded);
	UNIT_ADD(suite, truncated_at_every_length_is_refused);
	UNIT_ADD(suite, kernel_without_lguest_support_is_told_how_to_get_it);
	UNIT_ADD(suite, another_abi_version_is_refused_with_both_versions);
	UNIT_ADD(suite, hostile_segments_are_refused);
	UNIT_ADD(suite, nothing_to_load_is_refused);
	UNIT_ADD(suite, hostile_headers_are_refused);
	UNIT_ADD(suite, too_many_segments_are_refused);
	UNIT_ADD(suite, hostile_notes_are_refused);
	UNIT_ADD(suite, last_note_may_lack_its_padding);
	UNIT_ADD(suite, entry_outside_the_kernel_is_refused);
	return unit_run(suite);
}
