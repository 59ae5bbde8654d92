// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is in guest memory when the guest starts: the kernel where its ELF file
 * wants it, the initrd as high as possible, and at the bottom the page tables,
 * the command line, and boot_params, which tells the kernel where the others are.
 * Linux: Documentation/arch/x86/boot.rst, zero-page.rst.
 */
#include <asm/bootparam.h>
#include <errno.h>
#include <string.h>

#include "boot/boot.h"
#include "base/file.h"
#include "boot/kernel.h"
#include "lguest_abi.h"
#include "memory.h"
#include "base/message.h"
#include "boot/pagetables.h"
#include "boot/parser.h"

/* PCs have memory-mapped I/O here: Linux expects no memory. */
#define ISA_START	0xa0000ULL
#define ISA_END		0x100000ULL

#define E820_RAM	1
#define E820_RESERVED	2

#define UNKNOWN_LOADER	0xff
#define MIB		(1ULL << 20)

/* A kernel needs at least so much memory beside itself and its initrd. */
#define LEAST_SPARE	(4 * MIB)

_Static_assert(BOOT_PAGE_TABLES_GPA + PAGE_TABLES_SIZE <= 0x10000, "in the first 64 KiB");
_Static_assert(sizeof(struct boot_params) == PAGE_SIZE, "boot_params is one page");

static uint64_t align_up(uint64_t value, uint64_t to)
{
	return (value + to - 1) / to * to;
}

static unsigned long long to_mib(uint64_t bytes)
{
	return align_up(bytes, MIB) / MIB;
}

/* Return: the highest address that both the kernel and the guest's memory allow; 0: none. */
static uint64_t initrd_place(const struct kernel *kernel, const struct guest_memory *memory,
			     uint64_t size)
{
	uint64_t top = memory->low;

	/* initrd_addr_max is the address of the last byte. */
	if (kernel->header.initrd_addr_max && top > kernel->header.initrd_addr_max)
		top = kernel->header.initrd_addr_max + 1ULL;
	if (size > top)
		return 0;
	return (top - size) / PAGE_SIZE * PAGE_SIZE;
}

static int load_initrd(const struct boot_file *file, const struct kernel *kernel,
		       struct guest_memory *memory, struct setup_header *header)
{
	uint64_t size, gpa;
	void *to;
	int error;

	error = file_size(file->fd, file->path, &size);
	if (error)
		return error;
	gpa = initrd_place(kernel, memory, size);
	to = guest_range(memory, gpa, size);
	if (!to || gpa < align_up(kernel->image.end, PAGE_SIZE))
		return refuse(-ENOSPC,
			      "the initrd '%s' does not fit: with this kernel it needs a guest of %llum at least",
			      file->path, to_mib(kernel->image.end + size + LEAST_SPARE));
	error = file_read(file->fd, file->path, to, size);
	if (error)
		return error;
	header->ramdisk_image = gpa;
	header->ramdisk_size = size;
	detail("%s: initrd of %llu KiB at 0x%llx", file->path, (unsigned long long)size >> 10,
	       (unsigned long long)gpa);
	return 0;
}

static int write_command_line(const char *line, struct guest_memory *memory,
			      struct setup_header *header)
{
	size_t limit = BOOT_COMMAND_LINE_MAX - 1, length = strlen(line);

	if (header->cmdline_size && header->cmdline_size < limit)
		limit = header->cmdline_size;
	if (length > limit)
		return refuse(-E2BIG,
			      "the kernel arguments are too long: %zu bytes, this kernel takes %zu",
			      length, limit);
	memcpy(guest_range(memory, BOOT_COMMAND_LINE_GPA, length + 1), line, length + 1);
	header->cmd_line_ptr = BOOT_COMMAND_LINE_GPA;
	return 0;
}

static void add_e820(struct boot_params *params, uint64_t from, uint64_t to, uint32_t type)
{
	struct boot_e820_entry *entry = &params->e820_table[params->e820_entries];

	if (from >= to)
		return;
	entry->addr = from;
	entry->size = to - from;
	entry->type = type;
	params->e820_entries++;
}

/* The memory map. It leaves out the hole for devices. */
static void write_e820(struct boot_params *params, const struct guest_memory *memory)
{
	add_e820(params, 0, ISA_START, E820_RAM);
	add_e820(params, ISA_START, ISA_END, E820_RESERVED);
	add_e820(params, ISA_END, memory->low, E820_RAM);
	add_e820(params, LGUEST_HOLE_END, LGUEST_HOLE_END + memory->size - memory->low, E820_RAM);
}

/* Check the size first: the message tells the person how much memory this kernel needs. */
static int load_kernel(const struct boot_request *request, const struct kernel *kernel,
		       struct guest_memory *memory)
{
	if (memory->low < kernel->image.end + LEAST_SPARE || kernel_load(kernel, memory))
		return refuse(-ENOSPC,
			      "%llu MiB is too small a guest for the kernel '%s': give it %llum at least",
			      (unsigned long long)memory->size / MIB, request->kernel.path,
			      to_mib(kernel->image.end + LEAST_SPARE));
	detail("%s: kernel at 0x%llx to 0x%llx, entry at 0x%llx", request->kernel.path,
	       (unsigned long long)kernel->image.start, (unsigned long long)kernel->image.end,
	       (unsigned long long)kernel->image.entry);
	return 0;
}

static int fill_memory(const struct boot_request *request, const struct kernel *kernel,
		       struct guest_memory *memory)
{
	struct boot_params *params;
	int error;

	error = load_kernel(request, kernel, memory);
	if (error)
		return error;
	params = guest_range(memory, BOOT_PARAMS_GPA, sizeof(*params));
	params->hdr = kernel->header;
	params->hdr.type_of_loader = UNKNOWN_LOADER;
	params->hdr.hardware_subarch = LGUEST_SUBARCH;
	/* lguest is free to define this field: it holds the number of virtual CPUs. */
	params->hdr.hardware_subarch_data = request->cpus;
	/* No KASLR_FLAG: nobody moved the kernel. No CAN_USE_HEAP: no set-up code runs. */
	params->hdr.loadflags = LOADED_HIGH;
	params->hdr.setup_data = 0;
	params->hdr.ramdisk_image = 0;
	params->hdr.ramdisk_size = 0;
	write_e820(params, memory);
	error = write_command_line(request->command_line, memory, &params->hdr);
	if (!error && request->initrd.fd >= 0)
		error = load_initrd(&request->initrd, kernel, memory, &params->hdr);
	if (!error)
		error = page_tables_build(memory, BOOT_PAGE_TABLES_GPA);
	return error;
}

/**
 * boot_open_kernel() - the kernel, for one start
 * @request: which one
 * @kernel: filled in; kernel_close() it if this succeeds
 *
 * The file may be another kernel than at the last start, but not one of another ABI.
 *
 * Return: 0, or a negative errno after telling the person.
 */
int boot_open_kernel(const struct boot_request *request, struct kernel *kernel)
{
	int error = 0;

	if (request->ahead && request->ahead->contents.at) {
		*kernel = *request->ahead;
		request->ahead->contents = (struct bytes){ NULL, 0 };
	} else {
		error = parser_open(kernel, request->kernel.fd, request->kernel.path);
	}
	if (error || (request->xen ? kernel->image.xen_entry : kernel->image.entry))
		return error;
	kernel_close(kernel);
	return refuse(-ENOEXEC, request->xen ?
		      "the kernel '%s' does not speak Xen's ABI: it lacks CONFIG_XEN_PV=y, or wants a page of hypercalls, as Linux did until the end of 2024" :
		      "the kernel '%s' does not speak lguest's ABI: it lacks CONFIG_LGUEST_GUEST=y and the patches in guest-patches/",
		      request->kernel.path);
}

/**
 * boot_prepare() - fill a guest's memory for its start
 * @request: what to boot
 * @memory: fresh guest memory, all zero
 * @entry: filled in: the registers to start with
 *
 * Return: 0, or a negative errno after telling the person.
 */
int boot_prepare(const struct boot_request *request, struct guest_memory *memory,
		 struct boot_entry *entry)
{
	struct kernel kernel;
	int error;

	error = boot_open_kernel(request, &kernel);
	if (error)
		return error;
	error = fill_memory(request, &kernel, memory);
	entry->rip = kernel.image.entry;
	entry->rsp = 0;
	entry->rsi = BOOT_PARAMS_GPA;
	entry->cr3 = BOOT_PAGE_TABLES_GPA;
	kernel_close(&kernel);
	return error;
}
