// SPDX-License-Identifier: GPL-2.0-only
/*
 * All that is in guest memory when a guest of Xen's ABI starts, one behind the other as
 * Linux wants it (Linux: arch/x86/xen/mmu_pv.c), and mapped at XEN_KERNEL_MAP:
 *
 *	0 ... kernel | p2m | start_info | store | console | page tables | stack | free | ... initrd
 *	'------------------------------ first mapping -----------------------------'
 *
 * The p2m says which frame each of the guest's pages is: itself. The initrd lies at the end
 * of memory, outside of the mapping.
 */
#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "base/message.h"
#include "boot/boot.h"
#include "boot/kernel.h"
#include "xen/build.h"
#include "xen/tables.h"

#define MIB		(1ULL << 20)
/* Behind the stack there is so much free memory, at least, up to the next whole so much. */
#define SPARE		(512ULL << 10)
#define MAPPING_UNIT	(4 * MIB)
/* Linux has its modules behind that. */
#define MOST_MAPPED	(512 * MIB)
/* What a kernel wants beside all that to come anywhere at all. */
#define LEAST_SPARE	(16 * MIB)

/* guest physical addresses, and their end. */
struct layout {
	uint64_t p2m, p2m_size;
	uint64_t start_info, store, console;
	uint64_t tables, table_pages;
	uint64_t stack;
	uint64_t mapped;
};

static uint64_t align_up(uint64_t value, uint64_t to)
{
	return (value + to - 1) / to * to;
}

static unsigned long long to_mib(uint64_t bytes)
{
	return align_up(bytes, MIB) / MIB;
}

static void make_layout(struct layout *layout, uint64_t kernel_end, uint64_t memory)
{
	uint64_t pages;

	layout->p2m = align_up(kernel_end, PAGE_SIZE);
	layout->p2m_size = align_up(memory / PAGE_SIZE * sizeof(uint64_t), PAGE_SIZE);
	layout->start_info = layout->p2m + layout->p2m_size;
	layout->store = layout->start_info + PAGE_SIZE;
	layout->console = layout->store + PAGE_SIZE;
	layout->tables = layout->console + PAGE_SIZE;
	/* More tables may make the mapping longer, and that needs more tables. */
	for (pages = 0, layout->table_pages = 1; pages != layout->table_pages; ) {
		pages = layout->table_pages;
		layout->stack = layout->tables + pages * PAGE_SIZE;
		layout->mapped = align_up(layout->stack + PAGE_SIZE + SPARE, MAPPING_UNIT);
		layout->table_pages = xen_tables_pages(XEN_KERNEL_MAP, layout->mapped / PAGE_SIZE);
	}
}

/* So large a guest's list of frames fits, with all that is mapped beside it. */
static unsigned long long most_memory(const struct layout *layout)
{
	uint64_t beside = layout->mapped - layout->p2m_size + MAPPING_UNIT;

	return beside < MOST_MAPPED ? (MOST_MAPPED - beside) / sizeof(uint64_t) * PAGE_SIZE : 0;
}

static int check_layout(const struct layout *layout, uint64_t memory, const char *path)
{
	if (layout->mapped > MOST_MAPPED)
		return refuse(-E2BIG,
			      "%llu MiB is too large a guest for the kernel '%s': its list of frames would not fit where Linux wants it; %llu GiB fit",
			      (unsigned long long)memory / MIB, path, most_memory(layout) >> 30);
	if (layout->mapped + LEAST_SPARE > memory)
		return refuse(-ENOSPC,
			      "%llu MiB is too small a guest for the kernel '%s': give it %llum at least",
			      (unsigned long long)memory / MIB, path,
			      to_mib(layout->mapped + LEAST_SPARE));
	return 0;
}

/*
 * May there be code in the page? Linux 7.x has the code of its start in a segment that says
 * it has none: it goes by no more than the image.
 */
static bool is_code(const struct elf_image *image, uint64_t gpa)
{
	return gpa + PAGE_SIZE > image->start && gpa < image->end;
}

/* All is writable: the kernel changes even its code, and has other tables soon. */
static void map_all(const struct layout *layout, const struct elf_image *image,
		    struct guest_memory *memory)
{
	struct xen_tables tables;
	uint64_t gpa;

	xen_tables_init(&tables,
			guest_range(memory, layout->tables, layout->table_pages * PAGE_SIZE),
			layout->tables, layout->table_pages);
	for (gpa = 0; gpa < layout->mapped; gpa += PAGE_SIZE)
		xen_tables_map(&tables, XEN_KERNEL_MAP + gpa, gpa | PTE_PRESENT | PTE_WRITE |
			       PTE_ACCESSED | PTE_DIRTY |
			       (is_code(image, gpa) ? 0 : PTE_NO_EXECUTE));
}

static void fill_p2m(const struct layout *layout, struct guest_memory *memory)
{
	uint64_t *p2m = guest_range(memory, layout->p2m, layout->p2m_size), i;

	for (i = 0; i < memory->size / PAGE_SIZE; i++)
		p2m[i] = i;
}

static int load_initrd(const struct boot_file *file, const struct layout *layout,
		       struct guest_memory *memory, struct xen_start_info *info)
{
	uint64_t size, gpa;
	int error;

	error = file_size(file->fd, file->path, &size);
	if (error)
		return error;
	if (size > memory->size - layout->mapped)
		return refuse(-ENOSPC,
			      "the initrd '%s' does not fit: with this kernel it needs a guest of %llum at least",
			      file->path, to_mib(layout->mapped + size + LEAST_SPARE));
	gpa = (memory->size - size) / PAGE_SIZE * PAGE_SIZE;
	error = file_read(file->fd, file->path, guest_range(memory, gpa, size), size);
	if (error)
		return error;
	info->flags = XEN_MOD_START_PFN;
	info->module = gpa / PAGE_SIZE;
	info->module_size = size;
	detail("%s: initrd of %llu KiB at 0x%llx", file->path, (unsigned long long)size >> 10,
	       (unsigned long long)gpa);
	return 0;
}

static int write_start_info(const struct boot_request *request, const struct layout *layout,
			    struct guest_memory *memory, uint64_t shared_info)
{
	struct xen_start_info *info = guest_range(memory, layout->start_info, sizeof(*info));
	size_t length = strlen(request->command_line);

	if (length >= sizeof(info->command_line))
		return refuse(-E2BIG,
			      "the kernel arguments are too long: %zu bytes, a kernel of Xen's ABI takes %d",
			      length, XEN_COMMAND_LINE_MAX - 1);
	memcpy(info->command_line, request->command_line, length + 1);
	strcpy(info->magic, XEN_MAGIC);
	info->pages = memory->size / PAGE_SIZE;
	info->shared_info = shared_info;
	info->store_frame = layout->store / PAGE_SIZE;
	info->store_port = XEN_STORE_PORT;
	info->console_frame = layout->console / PAGE_SIZE;
	info->console_port = XEN_CONSOLE_PORT;
	info->page_tables = XEN_KERNEL_MAP + layout->tables;
	info->table_pages = layout->table_pages;
	info->p2m = XEN_KERNEL_MAP + layout->p2m;
	return request->initrd.fd < 0 ? 0 :
	       load_initrd(&request->initrd, layout, memory, info);
}

static int fill_memory(const struct boot_request *request, const struct kernel *kernel,
		       struct guest_memory *memory, uint64_t shared_info, struct layout *layout)
{
	int error;

	if (kernel->image.end > MOST_MAPPED)
		return refuse(-ENOEXEC, "the kernel '%s' is too large for Xen's ABI",
			      request->kernel.path);
	make_layout(layout, kernel->image.end, memory->size);
	error = check_layout(layout, memory->size, request->kernel.path);
	if (!error)
		error = kernel_load(kernel, memory);
	if (!error)
		error = write_start_info(request, layout, memory, shared_info);
	if (error)
		return error;
	detail("%s: kernel at 0x%llx to 0x%llx, entry at 0x%llx, mapped to 0x%llx",
	       request->kernel.path, (unsigned long long)kernel->image.start,
	       (unsigned long long)kernel->image.end,
	       (unsigned long long)kernel->image.xen_entry, (unsigned long long)layout->mapped);
	fill_p2m(layout, memory);
	map_all(layout, &kernel->image, memory);
	return 0;
}

/**
 * xen_build() - put all that a guest starts from into its memory
 * @request: what to boot
 * @memory: fresh guest memory without a hole
 * @shared_info: guest physical address of that page
 * @entry: filled in: where to start
 * @rings: filled in: pages that the guest shares with us
 *
 * Return: 0, or a negative errno after telling the person.
 */
int xen_build(const struct boot_request *request, struct guest_memory *memory,
	      uint64_t shared_info, struct boot_entry *entry, struct xen_rings *rings)
{
	struct layout layout = { 0 };
	struct kernel kernel;
	int error;

	error = boot_open_kernel(request, &kernel);
	if (error)
		return error;
	error = fill_memory(request, &kernel, memory, shared_info, &layout);
	if (!error) {
		entry->rip = kernel.image.xen_entry;
		entry->rsp = XEN_KERNEL_MAP + layout.stack + PAGE_SIZE;
		entry->rsi = XEN_KERNEL_MAP + layout.start_info;
		entry->cr3 = layout.tables;
		rings->console = guest_range(memory, layout.console, sizeof(*rings->console));
		rings->store = guest_range(memory, layout.store, sizeof(*rings->store));
	}
	kernel_close(&kernel);
	return error;
}
