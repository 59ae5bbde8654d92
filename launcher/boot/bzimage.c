// SPDX-License-Identifier: GPL-2.0-only
/*
 * The outer part of a bzImage: real-mode set-up code, which we never run. The header in it
 * says where the compressed kernel is.
 * Linux: Documentation/arch/x86/boot.rst.
 */
#include <errno.h>

#include "boot/bzimage.h"
#include "base/message.h"

#define SECTOR_SIZE	512
#define HEADER_OFFSET	offsetof(struct boot_params, hdr)	/* 0x1f1 */
#define JUMP_OFFSET	0x201	/* the second byte of the header's jump over itself */
#define HEADER_MAGIC	"HdrS"
#define MAGIC_OFFSET	(HEADER_OFFSET + offsetof(struct setup_header, header))

/* The first version of the boot protocol that says where the payload is. */
#define VERSION_PAYLOAD	0x0208

/**
 * bzimage_probe() - is this a bzImage?
 * @file: all of the file
 *
 * Return: true if the magic number is there; bzimage_parse() checks the rest.
 */
bool bzimage_probe(struct bytes file)
{
	struct bytes magic;

	return bytes_slice(file, MAGIC_OFFSET, strlen(HEADER_MAGIC), &magic) &&
	       !memcmp(magic.at, HEADER_MAGIC, strlen(HEADER_MAGIC));
}

/*
 * The header ends where its first instruction jumps to. A newer kernel may have a longer
 * header than we know: copy what we know.
 */
static bool copy_header(struct bytes file, struct setup_header *header)
{
	struct bytes jump, from;
	size_t size;

	if (!bytes_slice(file, JUMP_OFFSET, 1, &jump))
		return false;
	size = JUMP_OFFSET + 1 + *jump.at - HEADER_OFFSET;
	if (!bytes_slice(file, HEADER_OFFSET, size, &from))
		return false;
	memset(header, 0, sizeof(*header));
	memcpy(header, from.at, size < sizeof(*header) ? size : sizeof(*header));
	return true;
}

/**
 * bzimage_parse() - find the header and the payload
 * @path: the file's name for the person
 * @file: all of the file
 * @header: receives the set-up header
 * @payload: receives the part of @file that is the compressed kernel
 *
 * Return: 0, or a negative errno after telling the person.
 */
int bzimage_parse(const char *path, struct bytes file, struct setup_header *header,
		  struct bytes *payload)
{
	uint64_t setup_size;
	struct bytes kernel;

	if (!copy_header(file, header) || header->boot_flag != 0xaa55)
		return refuse(-EINVAL, "the kernel '%s' is truncated or corrupt: no boot header",
			      path);
	if (header->version < VERSION_PAYLOAD || !(header->loadflags & LOADED_HIGH))
		return refuse(-EINVAL, "the kernel '%s' is too old: boot protocol %u.%02u", path,
			      header->version >> 8, header->version & 0xff);
	/* 0 means 4, a very old rule that boot.rst still has. Add one for the boot sector. */
	setup_size = (1ULL + (header->setup_sects ? header->setup_sects : 4)) * SECTOR_SIZE;
	if (setup_size > file.size ||
	    !bytes_slice(file, setup_size, file.size - setup_size, &kernel) ||
	    !bytes_slice(kernel, header->payload_offset, header->payload_length, payload))
		return refuse(-EINVAL,
			      "the kernel '%s' is truncated: it ends after %zu of %llu bytes",
			      path, file.size,
			      (unsigned long long)(setup_size + header->payload_offset) +
			      header->payload_length);
	return 0;
}
