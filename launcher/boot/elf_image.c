// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel itself: an ELF file. We take from it the segments to load and the notes that
 * say that it can run as our guest: two of lguest's, or some of Xen's (Linux:
 * arch/x86/xen/xen-head.S). Any number in it may be a lie, so each goes through
 * bytes_slice() or is compared before it is used.
 */
#include <elf.h>
#include <errno.h>

#include "boot/elf_image.h"
#include "lguest_abi.h"
#include "base/message.h"

/* Kernels start at 1 MiB or above; what the launcher adds lies below (boot.h). */
#define LOWEST_SEGMENT	0x100000ULL
/* No kernel lies higher. The limit keeps sums of addresses from overflowing, too. */
#define HIGHEST_SEGMENT	LGUEST_HOLE_START

#define XEN_NAME		"Xen"
#define XEN_ENTRY		1
#define XEN_HYPERCALL_PAGE	2
#define XEN_VIRT_BASE		3
#define XEN_PADDR_OFFSET	4

/* Where Linux has its code, and so what a kernel's VIRT_BASE has to be. */
#define KERNEL_MAP		0xffffffff80000000ULL

/* The notes found so far. */
struct notes {
	bool have_entry, have_abi;
	uint64_t entry;
	uint32_t abi;
	bool has_hypercall_page;
	uint64_t xen_entry, xen_base, xen_offset;
};

/**
 * elf_probe() - is this an ELF file?
 * @file: all of the file
 *
 * Return: true if it begins like one.
 */
bool elf_probe(struct bytes file)
{
	return file.size >= SELFMAG && !memcmp(file.at, ELFMAG, SELFMAG);
}

static int bad_file(const char *path, const char *what)
{
	return refuse(-EINVAL, "the kernel '%s' is truncated or corrupt: %s", path, what);
}

static int check_header(const char *path, struct bytes file, Elf64_Ehdr *header)
{
	struct bytes at;

	if (!elf_probe(file))
		return refuse(-EINVAL,
			      "the kernel '%s' is corrupt: its payload is not an ELF file",
			      path);
	if (!bytes_slice(file, 0, sizeof(*header), &at))
		return bad_file(path, "the ELF header is not complete");
	memcpy(header, at.at, sizeof(*header));
	if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB ||
	    header->e_machine != EM_X86_64)
		return refuse(-EINVAL, "'%s' is not an x86-64 kernel", path);
	if (header->e_type != ET_EXEC && header->e_type != ET_DYN)
		return refuse(-EINVAL,
			      "'%s' is not a kernel: give a bzImage or the vmlinux it is made of",
			      path);
	if (header->e_phentsize != sizeof(Elf64_Phdr) || header->e_phnum == 0)
		return bad_file(path, "it has no program headers");
	return 0;
}

/**
 * elf_segment_fits() - may a segment lie in this range?
 * @gpa: guest physical address; any number
 * @size: bytes; any number
 */
bool elf_segment_fits(uint64_t gpa, uint64_t size)
{
	return gpa >= LOWEST_SEGMENT && gpa < HIGHEST_SEGMENT && size <= HIGHEST_SEGMENT - gpa;
}

/**
 * elf_segment_added() - count one more segment
 * @image: image->segment[image->segments] is filled in
 */
void elf_segment_added(struct elf_image *image)
{
	const struct elf_segment *segment = &image->segment[image->segments];

	if (!image->segments || segment->gpa < image->start)
		image->start = segment->gpa;
	if (segment->gpa + segment->size > image->end)
		image->end = segment->gpa + segment->size;
	image->segments++;
}

static int add_segment(const char *path, struct bytes file, const Elf64_Phdr *header,
		       struct elf_image *image)
{
	struct elf_segment *segment;

	if (header->p_memsz == 0)
		return 0;
	if (image->segments == ELF_MAX_SEGMENTS)
		return bad_file(path, "it has too many segments");
	segment = &image->segment[image->segments];
	if (!bytes_slice(file, header->p_offset, header->p_filesz, &segment->contents))
		return bad_file(path, "a segment lies outside the file");
	if (header->p_filesz > header->p_memsz)
		return bad_file(path, "a segment is larger in the file than in memory");
	if (!elf_segment_fits(header->p_paddr, header->p_memsz))
		return bad_file(path, "a segment lies where there is no memory");
	segment->gpa = header->p_paddr;
	segment->size = header->p_memsz;
	elf_segment_added(image);
	return 0;
}

/* A note's name and its contents are each padded to 4 bytes. */
static uint64_t pad(uint64_t size)
{
	return (size + 3) & ~3ULL;
}

static void use_note(uint32_t type, struct bytes contents, struct notes *notes)
{
	if (type == LGUEST_ELFNOTE_ENTRY && contents.size >= sizeof(uint64_t)) {
		uint64_t low = get_le32(contents.at);

		notes->entry = low | (uint64_t)get_le32(contents.at + 4) << 32;
		notes->have_entry = true;
	}
	if (type == LGUEST_ELFNOTE_ABI && contents.size >= sizeof(uint32_t)) {
		notes->abi = get_le32(contents.at);
		notes->have_abi = true;
	}
}

static void use_xen_note(uint32_t type, struct bytes contents, struct notes *notes)
{
	uint64_t value;

	if (contents.size < sizeof(value))
		return;
	memcpy(&value, contents.at, sizeof(value));
	value = le64toh(value);
	switch (type) {
	case XEN_ENTRY:
		notes->xen_entry = value;
		break;
	case XEN_HYPERCALL_PAGE:
		notes->has_hypercall_page = true;
		break;
	case XEN_VIRT_BASE:
		notes->xen_base = value;
		break;
	case XEN_PADDR_OFFSET:
		notes->xen_offset = value;
		break;
	}
}

static bool is_named(struct bytes name, const char *text)
{
	return name.size == strlen(text) + 1 && !memcmp(name.at, text, name.size);
}

static int read_notes(const char *path, struct bytes from, struct notes *notes)
{
	while (from.size >= sizeof(Elf64_Nhdr)) {
		struct bytes name, contents;
		Elf64_Nhdr header;

		memcpy(&header, bytes_take(&from, sizeof(header)), sizeof(header));
		name.at = from.at;
		name.size = header.n_namesz;
		if (!bytes_take(&from, pad(header.n_namesz)))
			return bad_file(path, "a note is not complete");
		if (!bytes_slice(from, 0, header.n_descsz, &contents))
			return bad_file(path, "a note is not complete");
		if (is_named(name, LGUEST_ELFNOTE_NAME))
			use_note(header.n_type, contents, notes);
		else if (is_named(name, XEN_NAME))
			use_xen_note(header.n_type, contents, notes);
		/* The last note's padding may be missing. */
		if (!bytes_take(&from, pad(header.n_descsz)))
			break;
	}
	return 0;
}

/* In the kernel's half, where the first page tables map its first GiB. */
static bool is_kernel_address(uint64_t gva)
{
	return gva >> 31 == KERNEL_MAP >> 31;
}

static bool speaks_xen(const struct notes *notes)
{
	return is_kernel_address(notes->xen_entry) && notes->xen_base == KERNEL_MAP &&
	       !notes->xen_offset && !notes->has_hypercall_page;
}

/* It has no notes of lguest's, and none of Xen's that are any good. */
static int refuse_notes(const char *path, const struct notes *notes)
{
	if (!notes->xen_entry)
		return refuse(-ENOEXEC,
			      "the kernel '%s' has no lguest support: build one with the patches in guest-patches/ and CONFIG_LGUEST_GUEST=y ('make guest' does), or take one with CONFIG_XEN_PV=y",
			      path);
	if (notes->has_hypercall_page)
		return refuse(-ENOEXEC,
			      "the kernel '%s' is too old for Xen's ABI as it is here: it wants a page of hypercalls, as Linux did until the end of 2024",
			      path);
	return bad_file(path, "its notes for Xen are not those of a Linux for x86-64");
}

static int check_notes(const char *path, const struct notes *notes, struct elf_image *image)
{
	bool speaks_lguest = notes->have_entry && notes->have_abi;

	image->xen_entry = speaks_xen(notes) ? notes->xen_entry : 0;
	if (!speaks_lguest)
		return image->xen_entry ? 0 : refuse_notes(path, notes);
	if (notes->abi != LGUEST_ABI_VERSION)
		return refuse(-ENOEXEC,
			      "the kernel '%s' speaks version %u of the guest ABI, this lguest version %u: build both from the same tree",
			      path, notes->abi, LGUEST_ABI_VERSION);
	if (!is_kernel_address(notes->entry))
		return bad_file(path, "its entry point is not a kernel address");
	image->entry = notes->entry;
	return 0;
}

/**
 * elf_parse() - find out what to load and where to start
 * @path: the file's name for the person
 * @file: the ELF file; something else may follow it (a bzImage's relocations)
 * @image: filled in; refers to @file
 *
 * Return: 0, or a negative errno after telling the person.
 */
int elf_parse(const char *path, struct bytes file, struct elf_image *image)
{
	struct notes notes = { 0 };
	Elf64_Ehdr header;
	unsigned int i;
	int error;

	memset(image, 0, sizeof(*image));
	error = check_header(path, file, &header);
	for (i = 0; !error && i < header.e_phnum; i++) {
		struct bytes at;
		Elf64_Phdr program;

		if (header.e_phoff > file.size ||
		    !bytes_slice(file, header.e_phoff + i * sizeof(program), sizeof(program), &at))
			return bad_file(path, "the program headers are not complete");
		memcpy(&program, at.at, sizeof(program));
		if (program.p_type == PT_LOAD) {
			error = add_segment(path, file, &program, image);
		} else if (program.p_type == PT_NOTE) {
			if (!bytes_slice(file, program.p_offset, program.p_filesz, &at))
				return bad_file(path, "the notes lie outside the file");
			error = read_notes(path, at, &notes);
		}
	}
	if (error)
		return error;
	if (!image->segments)
		return bad_file(path, "there is nothing to load in it");
	return check_notes(path, &notes, image);
}
