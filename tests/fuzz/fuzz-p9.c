// SPDX-License-Identifier: GPL-2.0-only
/*
 * 9P: messages, good or damaged, to a server of a small directory. No message may reach the
 * file that lies beside the directory.
 */
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/compiler.h"
#include "input.h"
#include "p9/server.h"

#define MOST_MESSAGE	8192

static char share[160], outside[160];
static struct p9_server server;
static uint8_t message[MOST_MESSAGE];
static size_t length;

/*
 * The fields of each request: f is a fid, n a name, F flags of open(), m a mode, d counted
 * bytes, w names to walk, and a digit is a number of that many bytes.
 */
static const struct {
	uint8_t type;
	const char *fields;
} requests[] = {
	{ P9_TVERSION, "4n" }, { P9_TATTACH, "f4nn4" }, { P9_TWALK, "ffw" },
	{ P9_TWALK, "ffw" }, { P9_TWALK, "ffw" }, { P9_TLOPEN, "fF" }, { P9_TLCREATE, "fnFm4" },
	{ P9_TSYMLINK, "fnn4" }, { P9_TMKNOD, "fnm444" }, { P9_TREADLINK, "f" },
	{ P9_TGETATTR, "f8" }, { P9_TSETATTR, "f4m4488888" }, { P9_TREADDIR, "f84" },
	{ P9_TREAD, "f84" }, { P9_TFSYNC, "f4" }, { P9_TLOCK, "f14884n" },
	{ P9_TGETLOCK, "f1884n" }, { P9_TLINK, "ffn" }, { P9_TMKDIR, "fnm4" },
	{ P9_TRENAMEAT, "fnfn" }, { P9_TUNLINKAT, "fn4" }, { P9_TFLUSH, "2" },
	{ P9_TWRITE, "f8d" }, { P9_TCLUNK, "f" }, { P9_TSTATFS, "f" },
};

static void put(uint64_t value, unsigned int bytes)
{
	for (; bytes && length < sizeof(message); bytes--, value >>= 8)
		message[length++] = value;
}

static void put_text(const char *text, size_t size)
{
	put(size, 2);
	while (size--)
		put(*text++, 1);
}

static void put_name(void)
{
	static const char * const names[] = {
		"file", "dir", "link", "out", "new", "x", "..", ".", "", "a/b", "../outside",
		"9P2000.L", "/proc/self/mem",
	};
	unsigned int which = input_below(2 * ARRAY_SIZE(names));
	char text[300];

	if (which < ARRAY_SIZE(names)) {
		put_text(names[which], strlen(names[which]));
	} else {
		size_t size = input_bytes(text, input_byte() + (which & 1) * 44);

		put_text(text, size);
	}
}

static void put_names(void)
{
	unsigned int count = input_below(4);

	put(input_byte() == 0xff ? input_16() : count, 2);
	while (count--)
		put_name();
}

static void put_bytes(void)
{
	uint8_t how = input_byte(), bytes[256];
	size_t i, size = input_bytes(bytes, input_byte());

	put(how == 0xff ? input_32() : size, 4);
	for (i = 0; i < size; i++)
		put(bytes[i], 1);
}

static void put_field(char field)
{
	switch (field) {
	case 'f':
		put(input_below(6), 4);
		break;
	case 'n':
		put_name();
		break;
	case 'F':
		put(input_byte() & 1 ? input_32() : input_16() & 01303, 4);
		break;
	case 'm':
		put(input_byte() & 1 ? input_32() : S_IFREG | (input_16() & 0777), 4);
		break;
	case 'd':
		put_bytes();
		break;
	case 'w':
		put_names();
		break;
	default:
		put(input_nasty(), field - '0');
	}
}

/* Make a message. Return: its type. */
static uint8_t make_message(void)
{
	unsigned int which = input_below(ARRAY_SIZE(requests));
	uint8_t how = input_byte(), type = requests[which].type;
	const char *field;
	size_t size;

	length = 0;
	put(0, 4);
	put(type, 1);
	put(1, 2);
	for (field = requests[which].fields; *field; field++)
		put_field(*field);
	/* Some messages are cut short, damaged, or have a wrong size; some all of that. */
	if (how >= 8)
		how = 0;
	size = how & 4 ? input_nasty() : length;
	if (how & 2)
		message[input_16() % length] = input_byte();
	if (how & 1)
		length = input_16() % (length + 1);
	if (length >= 4)
		memcpy(message, &size, 4);
	return type;
}

static void serve(uint8_t type)
{
	uint8_t how = input_byte();
	size_t room = how == 0xff ? input_16() % 64 : 16384, size;
	uint8_t *request = malloc(length ? length : 1), *reply = malloc(room ? room : 1);
	uint32_t said;

	memcpy(request, message, length);
	size = p9_serve(&server, request, length, reply, room);
	require(size <= room);
	if (size) {
		memcpy(&said, reply, sizeof(said));
		require(said == size && size >= P9_HEADER);
		require(reply[4] == P9_RLERROR || reply[4] == type + 1 || message[4] != type);
	}
	free(request);
	free(reply);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
	(void)status;
	(void)kind;
	return where->level ? remove(path) : 0;
}

static void make_file(const char *directory, const char *name)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	require(fd >= 0 && write(fd, "text\n", 5) == 5);
	close(fd);
}

/* Make the same directory for each input. */
static void make_share(void)
{
	char path[256];

	chmod(share, 0700);
	nftw(share, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	snprintf(path, sizeof(path), "%s/dir", share);
	require(!mkdir(path, 0700));
	make_file(share, "file");
	make_file(path, "x");
	snprintf(path, sizeof(path), "%s/link", share);
	require(!symlink("file", path));
	snprintf(path, sizeof(path), "%s/out", share);
	require(!symlink("../outside", path));
}

static void outside_is_untouched(void)
{
	struct stat status;

	require(!lstat(outside, &status));
	require(S_ISREG(status.st_mode) && status.st_size == 5 && status.st_nlink == 1 &&
		(status.st_mode & 07777) == 0600 && status.st_uid == geteuid());
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *scratch = scratch_directory();

	(void)argc;
	(void)argv;
	launcher_begin();
	rights_drop();
	snprintf(share, sizeof(share), "%s/share", scratch);
	snprintf(outside, sizeof(outside), "%s/outside", scratch);
	require(!mkdir(share, 0700));
	make_file(scratch, "outside");
	p9_thread_init();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char start[] =
		"\x15\0\0\0\x64\1\0\0\x20\0\0\x8\0" "9P2000.L"
		"\x17\0\0\0\x68\1\0\0\0\0\0\xff\xff\xff\xff\0\0\0\0\xff\xff\xff\xff";
	uint8_t reply[64];

	input_begin(data, size);
	make_share();
	require(!p9_server_init(&server, share, input_byte() == 1));
	p9_serve(&server, start, 21, reply, sizeof(reply));
	p9_serve(&server, start + 21, 23, reply, sizeof(reply));
	while (!input_over())
		serve(make_message());
	p9_server_exit(&server);
	require(!p9_fids.taken);
	outside_is_untouched();
	return 0;
}
