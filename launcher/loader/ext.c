// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads files in an ext2, ext3 or ext4 file system on a disk, by libext2fs: from a descriptor
 * and inside of one volume alone. Symbolic links lead nowhere else, as libext2fs follows them
 * itself, eight at most.
 *
 * Nothing here writes. A journal is not replayed: after a crash of the guest, files are as
 * they were before the journal's last transactions, as for GRUB.
 */
#include <errno.h>
#include <ext2fs/ext2fs.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"
#include "loader/ext.h"
#include "loader/volume.h"

/* A piece of a file, on its way from disk to memory. */
#define PIECE		(1U << 20)

/* A directory has so many names, at most, that count. */
#define MOST_NAMES	1024

/* --- What libext2fs reads from. --- */

struct source {
	int disk;
	uint64_t offset, size;
	uint64_t left;		/* bytes that may still be read */
};

/*
 * To open a file system is to read its table of groups into memory. That of 128 TiB is so
 * large; a superblock can say anything.
 */
#define MOST_TO_OPEN	(64ULL << 20)

/* For source_open(), to which ext2fs_open() can pass nothing but a name. */
static struct source opening;

static errcode_t source_open(const char *name, int flags, io_channel *channel);

static errcode_t source_close(io_channel channel)
{
	if (--channel->refcount > 0)
		return 0;
	free(channel->private_data);
	free(channel);
	return 0;
}

static errcode_t source_set_block_size(io_channel channel, int size)
{
	channel->block_size = size;
	return 0;
}

/* @count: blocks; if it is negative, bytes. */
static errcode_t source_read(io_channel channel, unsigned long long block, int count, void *to)
{
	struct source *source = channel->private_data;
	uint64_t unit = channel->block_size;
	uint64_t size = count < 0 ? -(uint64_t)count : count * unit, at;
	uint8_t *next = to;

	if (__builtin_mul_overflow(block, unit, &at) || at > source->size ||
	    size > source->size - at || size > source->left)
		return EXT2_ET_SHORT_READ;
	source->left -= size;
	for (at += source->offset; size; ) {
		ssize_t got = pread(source->disk, next, size, at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got ? errno : EXT2_ET_SHORT_READ;
		next += got;
		at += got;
		size -= got;
	}
	return 0;
}

static errcode_t source_read_32(io_channel channel, unsigned long block, int count, void *to)
{
	return source_read(channel, block, count, to);
}

static errcode_t source_flush(io_channel channel)
{
	(void)channel;
	return 0;
}

static struct struct_io_manager manager = {
	.magic = EXT2_ET_MAGIC_IO_MANAGER,
	.name = "a volume of the guest's disk",
	.open = source_open,
	.close = source_close,
	.set_blksize = source_set_block_size,
	.read_blk = source_read_32,
	.read_blk64 = source_read,
	.flush = source_flush,
};

static errcode_t source_open(const char *name, int flags, io_channel *channel)
{
	io_channel new = calloc(1, sizeof(*new));
	struct source *source = malloc(sizeof(*source));

	(void)name;
	(void)flags;
	if (!new || !source) {
		free(new);
		free(source);
		return EXT2_ET_NO_MEMORY;
	}
	*source = opening;
	new->magic = EXT2_ET_MAGIC_IO_CHANNEL;
	new->manager = &manager;
	new->name = (char *)"volume";
	new->block_size = 1024;
	new->refcount = 1;
	new->private_data = source;
	*channel = new;
	return 0;
}

/* --- Files. --- */

/* Return: a negative errno; ext->why says more. */
static int failed(struct ext *ext, errcode_t code)
{
	ext->why = error_message(code);
	switch (code) {
	case EXT2_ET_FILE_NOT_FOUND:
	case EXT2_ET_NO_DIRECTORY:
		ext->why = "is not there";
		return -ENOENT;
	case EXT2_ET_SYMLINK_LOOP:
		ext->why = "is a link that leads through too many others";
		return -ELOOP;
	case EXT2_ET_NO_MEMORY:
		return -ENOMEM;
	default:
		return -EIO;
	}
}

/**
 * ext_open() - open a file system
 * @ext: filled in; ext_close() it if this succeeds
 * @disk: a descriptor of the disk
 * @volume: where it is
 *
 * Return: 0 or a negative errno.
 */
int ext_open(struct ext *ext, int disk, const struct volume *volume)
{
	ext2_filsys fs;
	errcode_t code;

	initialize_ext2_error_table();
	opening = (struct source){ disk, volume->offset, volume->size, MOST_TO_OPEN };
	code = ext2fs_open("volume", EXT2_FLAG_64BITS, 0, 0, &manager, &fs);
	if (code)
		return failed(ext, code);
	((struct source *)fs->io->private_data)->left = UINT64_MAX;
	ext->fs = fs;
	ext->why = "";
	return 0;
}

/**
 * ext_close() - close a file system
 * @ext: from ext_open()
 */
void ext_close(struct ext *ext)
{
	ext2fs_free(ext->fs);
	ext->fs = NULL;
}

/**
 * ext_is_unclean() - may there be newer things in the journal?
 * @ext: from ext_open()
 */
bool ext_is_unclean(const struct ext *ext)
{
	return ext2fs_has_feature_journal_needs_recovery(((ext2_filsys)ext->fs)->super);
}

static int find(struct ext *ext, const char *path, ext2_ino_t *number, struct ext2_inode *inode)
{
	errcode_t code = ext2fs_namei_follow(ext->fs, EXT2_ROOT_INO, EXT2_ROOT_INO, path, number);

	if (!code)
		code = ext2fs_read_inode(ext->fs, *number, inode);
	return code ? failed(ext, code) : 0;
}

/**
 * ext_has() - is there anything by that name?
 * @ext: from ext_open()
 * @path: its name
 *
 * Return: true, too, if that can't be found out: who opens it hears why.
 */
bool ext_has(struct ext *ext, const char *path)
{
	struct ext2_inode inode;
	ext2_ino_t number;

	return find(ext, path, &number, &inode) != -ENOENT;
}

/**
 * ext_has_directory() - is there such a directory?
 * @ext: from ext_open()
 * @path: its name
 */
bool ext_has_directory(struct ext *ext, const char *path)
{
	struct ext2_inode inode;
	ext2_ino_t number;

	return !find(ext, path, &number, &inode) && LINUX_S_ISDIR(inode.i_mode);
}

struct listing {
	void (*take)(void *argument, const char *name);
	void *argument;
	unsigned int names;
};

static int take_name(struct ext2_dir_entry *entry, int offset, int block_size, char *block,
		     void *argument)
{
	struct listing *listing = argument;
	int length = ext2fs_dirent_name_len(entry);
	char name[EXT2_NAME_LEN + 1];

	(void)offset;
	(void)block_size;
	(void)block;
	if (length > EXT2_NAME_LEN || listing->names++ == MOST_NAMES)
		return DIRENT_ABORT;
	memcpy(name, entry->name, length);
	name[length] = '\0';
	listing->take(listing->argument, name);
	return 0;
}

/**
 * ext_list() - call a function for each name in a directory
 * @ext: from ext_open()
 * @path: the directory's name
 * @take: the function
 * @argument: for @take
 *
 * Return: 0 or a negative errno.
 */
int ext_list(struct ext *ext, const char *path, void (*take)(void *argument, const char *name),
	     void *argument)
{
	struct listing listing = { take, argument, 0 };
	struct ext2_inode inode;
	ext2_ino_t number;
	errcode_t code;
	int error = find(ext, path, &number, &inode);

	if (error)
		return error;
	code = ext2fs_dir_iterate(ext->fs, number, 0, NULL, take_name, &listing);
	return code ? failed(ext, code) : 0;
}

/* Open a regular file of @most bytes at most. */
static int open_file(struct ext *ext, const char *path, uint64_t most, ext2_file_t *file,
		     uint64_t *size)
{
	struct ext2_inode inode;
	ext2_ino_t number;
	errcode_t code;
	int error = find(ext, path, &number, &inode);

	if (error)
		return error;
	if (!LINUX_S_ISREG(inode.i_mode)) {
		ext->why = LINUX_S_ISDIR(inode.i_mode) ? "is a directory" : "is not a file";
		return -EINVAL;
	}
	*size = EXT2_I_SIZE(&inode);
	if (*size > most) {
		ext->why = "is too large";
		return -EFBIG;
	}
	code = ext2fs_file_open(ext->fs, number, 0, file);
	return code ? failed(ext, code) : 0;
}

/* Read @size bytes from where the file's offset stands. */
static int read_file(struct ext *ext, ext2_file_t file, uint8_t *to, uint64_t size)
{
	while (size) {
		unsigned int got = 0;
		errcode_t code = ext2fs_file_read(file, to, size < PIECE ? size : PIECE, &got);

		if (!code && !got)
			code = EXT2_ET_SHORT_READ;
		if (code)
			return failed(ext, code);
		to += got;
		size -= got;
	}
	return 0;
}

/**
 * ext_load() - read a whole file into memory
 * @ext: from ext_open()
 * @path: its name
 * @most: the most bytes that make sense
 * @contents: on success, memory that the caller frees
 *
 * Return: 0 or a negative errno.
 */
int ext_load(struct ext *ext, const char *path, uint64_t most, struct bytes *contents)
{
	ext2_file_t file;
	uint8_t *buffer;
	uint64_t size;
	int error = open_file(ext, path, most, &file, &size);

	if (error)
		return error;
	buffer = malloc(size + 1);
	error = buffer ? read_file(ext, file, buffer, size) : failed(ext, EXT2_ET_NO_MEMORY);
	ext2fs_file_close(file);
	if (error) {
		free(buffer);
		return error;
	}
	*contents = (struct bytes){ buffer, size };
	return 0;
}

/**
 * ext_copy() - copy a file to one of the host's
 * @ext: from ext_open()
 * @path: its name
 * @most: the most bytes that it may have
 * @to: a descriptor
 * @at: where in @to the copy begins; where it ends goes there
 *
 * Return: 0 or a negative errno.
 */
int ext_copy(struct ext *ext, const char *path, uint64_t most, int to, uint64_t *at)
{
	ext2_file_t file;
	uint8_t *piece;
	uint64_t size;
	int error = open_file(ext, path, most, &file, &size);

	if (error)
		return error;
	piece = malloc(PIECE);
	if (!piece)
		error = failed(ext, EXT2_ET_NO_MEMORY);
	while (!error && size) {
		size_t now = size < PIECE ? size : PIECE;

		error = read_file(ext, file, piece, now);
		if (!error) {
			error = file_write(to, (struct bytes){ piece, now }, *at);
			ext->why = error ? strerror(-error) : "";
		}
		*at += now;
		size -= now;
	}
	free(piece);
	ext2fs_file_close(file);
	return error;
}
