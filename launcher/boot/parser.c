// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process that unpacks kernels, and finds them on disks. A kernel may lie on the guest's own
 * disk, where the guest can change it before each boot, and seven libraries unpack it. So the
 * launcher leaves this to a process that can do little more than compute. It lives as long as
 * the VM. At each boot it gets a descriptor of the kernel's file, and answers with a descriptor
 * of the segments and with their addresses, which the launcher checks. If nobody has named a
 * kernel, it gets a descriptor of the disk before, only to read, and answers with files in
 * memory: what the guest is to start from.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "base/file.h"
#include "boot/kernel.h"
#include "lguest_abi.h"
#include "base/message.h"
#include "boot/parser.h"
#include "sandbox/process.h"
#include "sandbox/sandbox.h"

#define PATH_ROOM	1024	/* for the file's name, only for messages */
#define LINE_ROOM	1024
#define MAX_LINES	16	/* in one answer */
#define MAX_LINES_EVER	256	/* in all answers: a guest may restart any number of times */

/* The process's own memory, at most: to look into a disk, and to unpack a kernel. */
#define MEMORY_FIND	(256ULL << 20)
#define MEMORY_UNPACK	(KERNEL_FILE_MAX + (1ULL << 30))

/* The file of segments must not change once the launcher has checked it. */
#define SEALS		(F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

struct question {
	enum { UNPACK, FIND } what;
	uint64_t most;			/* FIND: bytes that a file may have */
	char path[PATH_ROOM];
};

struct answer_segment {
	uint64_t gpa, size;	/* in guest memory */
	uint64_t offset, bytes;	/* in the file that comes with the answer */
};

/* The last message of an answer to UNPACK; lines for the person come before it. */
struct answer {
	int32_t error;
	uint32_t segments;
	uint64_t entry, xen_entry;
	struct setup_header header;
	struct answer_segment segment[ELF_MAX_SEGMENTS];
};

/* That of an answer to FIND. */
struct answer_found {
	int32_t error;
	struct loader_found found;
};

_Static_assert(sizeof(struct answer) > LINE_ROOM, "its size tells it from a line");
_Static_assert(sizeof(struct answer_found) > LINE_ROOM, "its size tells it from a line");

static struct process parser;

int parser_limit_ms = 60 * 1000;

/* end_parser() was called: what the process still says must not pass for the next answer. */
static bool was_ended;
static unsigned int lines_ever;

/* --- In the process. --- */

static const struct sandbox_call calls[] = {
	SANDBOX_EVERY_PROCESS,
	SANDBOX_CALL(recvmsg),
	SANDBOX_CALL(sendmsg),
	SANDBOX_CALL(pread64),
	SANDBOX_CALL(pwrite64),
	SANDBOX_CALL(lseek),
	SANDBOX_CALL_IF(prlimit64, 0, SANDBOX_INT, 0),
	/* libblkid's. */
	SANDBOX_CALL(read),
	SANDBOX_CALL(fstat),
	SANDBOX_CALL_IF(newfstatat, 3, SANDBOX_INT, AT_EMPTY_PATH),
	SANDBOX_CALL(fadvise64),
	SANDBOX_CALL_IF(ioctl, 1, SANDBOX_INT, BLKGETSIZE64),
	SANDBOX_CALL_IF(ioctl, 1, SANDBOX_INT, BLKSSZGET),
	SANDBOX_CALL(close),
	SANDBOX_CALL(memfd_create),
	SANDBOX_CALL_IF(fcntl, 1, SANDBOX_INT, F_ADD_SEALS),
};

static int launcher;

static void send_line(const char *line)
{
	process_send(launcher, line, strlen(line), NULL, 0);
}

/*
 * Write the segments to a file in memory, one after the other.
 * Return: its descriptor, or a negative errno.
 */
static int put_segments(const struct kernel *kernel, struct answer *answer)
{
	int fd = memfd_create("lguest-kernel", MFD_CLOEXEC | MFD_ALLOW_SEALING), error = 0;
	uint64_t at = 0;
	unsigned int i;

	if (fd < 0)
		return -errno;
	for (i = 0; !error && i < kernel->image.segments; i++) {
		const struct elf_segment *segment = &kernel->image.segment[i];

		answer->segment[i] = (struct answer_segment){
			.gpa = segment->gpa, .size = segment->size,
			.offset = at, .bytes = segment->contents.size,
		};
		at += segment->contents.size;
		error = at > KERNEL_FILE_MAX ? -EFBIG :
			file_write(fd, segment->contents, at - segment->contents.size);
	}
	if (!error && fcntl(fd, F_ADD_SEALS, SEALS) < 0)
		error = -errno;
	if (error)
		close(fd);
	return error ? error : fd;
}

static void answer_with(const char *path, int file)
{
	struct answer answer = { 0 };
	struct kernel kernel;
	struct bytes contents;
	int fd = -1;

	answer.error = file_load(file, path, "kernel", KERNEL_FILE_MAX, &contents);
	if (!answer.error)
		answer.error = kernel_parse(&kernel, path, contents);
	if (!answer.error) {
		answer.header = kernel.header;
		answer.segments = kernel.image.segments;
		answer.entry = kernel.image.entry;
		answer.xen_entry = kernel.image.xen_entry;
		fd = put_segments(&kernel, &answer);
		if (fd < 0)
			answer.error = refuse(fd, "no memory to unpack the kernel '%s': %s", path,
					      strerror(-fd));
		kernel_close(&kernel);
	}
	process_send(launcher, &answer, sizeof(answer), &fd, fd >= 0);
	file_close(&fd);
}

/* A sanitizer has more. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MEMORY_FACTOR	(1ULL << 20)
#else
#define MEMORY_FACTOR	1
#endif

static void limit_memory(uint64_t bytes)
{
	struct rlimit limit = {
		.rlim_cur = bytes * MEMORY_FACTOR,
		.rlim_max = MEMORY_UNPACK * MEMORY_FACTOR,
	};

	setrlimit(RLIMIT_DATA, &limit);
}

static void answer_where(const struct question *question, int disk)
{
	struct answer_found answer = { 0 };
	int file[LOADER_FILES];

	limit_memory(MEMORY_FIND);
	answer.error = loader_find(disk, question->path, question->most, &answer.found, file);
	limit_memory(MEMORY_UNPACK);
	/* The initrd's comes last, and may be none. */
	process_send(launcher, &answer, sizeof(answer), file,
		     (file[LOADER_KERNEL] >= 0) + (file[LOADER_INITRD] >= 0));
	file_close(&file[LOADER_KERNEL]);
	file_close(&file[LOADER_INITRD]);
}

static void run(int socket, void *argument)
{
	static const struct sandbox sandbox = {
		.namespaces = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS,
		.calls = calls,
		.count = ARRAY_SIZE(calls),
	};
	struct question question;
	unsigned int count;
	ssize_t size;
	int file;

	(void)argument;
	launcher = socket;
	limit_memory(MEMORY_UNPACK);
	message_sink = send_line;
	sandbox_enter(&sandbox);
	for (;;) {
		count = 1;
		size = process_receive(socket, &question, sizeof(question), &file, &count);
		if (size != sizeof(question) || !count)
			return;
		if (question.what == FIND)
			answer_where(&question, file);
		else
			answer_with(question.path, file);
		close(file);
	}
}

/* --- In the launcher. --- */

/**
 * parser_start() - start the process
 *
 * Return: 0, or a negative errno after telling the person.
 */
int parser_start(void)
{
	int error = process_start(&parser, "lguest-kernel", run, NULL, NULL, 0);

	was_ended = false;
	lines_ever = 0;
	/* A process that answers but never reads must not block the launcher. */
	if (!error && fcntl(parser.socket, F_SETFL, O_NONBLOCK) < 0) {
		error = refuse(-errno, "can't prepare a socket: %s", strerror(errno));
		process_stop(&parser);
	}
	return error;
}

/**
 * parser_stop() - end the process
 */
void parser_stop(void)
{
	process_stop(&parser);
}

/* The process lies, or works too long on a kernel, perhaps one made for that purpose. */
static void end_parser(void)
{
	parser_stop();
	was_ended = true;
}

/* Return: @error, after telling the person why the process has no answer. */
static int has_no_answer(int error, const char *path)
{
	end_parser();
	switch (error) {
	case -ETIMEDOUT:
		return refuse(error, "the process that unpacks kernels has not finished '%s' after %d s",
			      path, parser_limit_ms / 1000);
	case -EPROTO:
		return refuse(error, "the process that unpacks kernels prints too much about '%s'", path);
	case -EAGAIN:
		return refuse(error, "the process that unpacks kernels does not take '%s'", path);
	default:
		return refuse(error, "the process that unpacks kernels has ended at '%s'", path);
	}
}

static bool check_segment(const struct answer_segment *from, struct bytes contents,
			  struct elf_image *image)
{
	struct elf_segment *segment = &image->segment[image->segments];

	if (!elf_segment_fits(from->gpa, from->size) || from->bytes > from->size ||
	    !bytes_slice(contents, from->offset, from->bytes, &segment->contents))
		return false;
	segment->gpa = from->gpa;
	segment->size = from->size;
	elf_segment_added(image);
	return true;
}

/* Is it a file in memory that can't change any more? */
static bool is_sealed(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);

	return seals >= 0 && (seals & SEALS) == SEALS;
}

static bool map_segments(struct kernel *kernel, int fd)
{
	struct stat status;
	void *at;

	if (!is_sealed(fd) || fstat(fd, &status) < 0 || status.st_size < 0 ||
	    (uint64_t)status.st_size > KERNEL_FILE_MAX)
		return false;
	if (!status.st_size)
		return true;
	at = mmap(NULL, status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (at == MAP_FAILED)
		return false;
	kernel->contents = (struct bytes){ at, status.st_size };
	return true;
}

/* Believe nothing in the answer. */
static bool check_answer(const struct answer *answer, struct kernel *kernel, int fd)
{
	unsigned int i;

	if (!answer->segments || answer->segments > ELF_MAX_SEGMENTS || !map_segments(kernel, fd))
		return false;
	for (i = 0; i < answer->segments; i++)
		if (!check_segment(&answer->segment[i], kernel->contents, &kernel->image))
			return false;
	kernel->header = answer->header;
	kernel->image.entry = answer->entry;
	kernel->image.xen_entry = answer->xen_entry;
	return true;
}

/*
 * Ask the process. Return: 0 with an answer, which may be that the process has told the person
 * why it has none; or a negative errno after telling the person.
 */
static int ask(struct question *question, const char *path, int file,
	       struct process_answer *answer)
{
	size_t length = strlen(path);
	int error;

	memset(question->path, 0, sizeof(question->path));
	if (length >= PATH_ROOM)
		path += length - PATH_ROOM + 1;
	strcpy(question->path, path);
	answer->size = answer->room;
	answer->most = MAX_LINES_EVER - lines_ever < MAX_LINES ? MAX_LINES_EVER - lines_ever : MAX_LINES;
	error = process_send(parser.socket, question, sizeof(*question), &file, 1);
	if (!error)
		error = process_receive_answer(parser.socket, now_ms() + parser_limit_ms, answer);
	lines_ever += answer->lines;
	return error ? has_no_answer(error, path) : 0;
}

/* Return: the error in an answer. Believe in one only if a line has told the person why. */
static int error_in(const struct process_answer *answer, int error)
{
	return error < 0 && error >= -4095 && answer->lines ? error : 0;
}

static int refuse_answer(const char *path)
{
	end_parser();
	return refuse(-EPROTO, "the process that unpacks kernels gives a wrong answer for '%s'", path);
}

static int ask_for_kernel(struct kernel *kernel, const char *path, int file)
{
	struct question question = { .what = UNPACK };
	struct answer answer;
	int fd = -1, error;
	struct process_answer what = {
		.to = &answer, .room = sizeof(answer), .fd = &fd, .fds = 1,
	};

	memset(kernel, 0, sizeof(*kernel));
	kernel->mapped = true;
	error = ask(&question, path, file, &what);
	if (error)
		return error;
	error = error_in(&what, answer.error);
	if (!error && (fd < 0 || !check_answer(&answer, kernel, fd)))
		error = refuse_answer(path);
	file_close(&fd);
	if (error)
		kernel_close(kernel);
	return error;
}

/* The process may have put anything there: make it text, and harmless for a terminal. */
static void make_text(char *text, size_t room)
{
	text[room - 1] = '\0';
	message_plain(text, strlen(text));
}

static int ask_for_files(struct question *question, const char *path, int disk,
			 struct loader_found *found, int file[LOADER_FILES])
{
	struct answer_found answer;
	struct process_answer what = {
		.to = &answer, .room = sizeof(answer), .fd = file, .fds = LOADER_FILES,
	};
	int error = ask(question, path, disk, &what);

	if (error)
		return error;
	*found = answer.found;
	make_text(found->place, sizeof(found->place));
	make_text(found->entry, sizeof(found->entry));
	make_text(found->kernel, sizeof(found->kernel));
	make_text(found->initrd, sizeof(found->initrd));
	make_text(found->words, sizeof(found->words));
	make_text(found->root, sizeof(found->root));
	error = error_in(&what, answer.error);
	if (!error && (!is_sealed(file[LOADER_KERNEL]) ||
		       (file[LOADER_INITRD] >= 0 && !is_sealed(file[LOADER_INITRD]))))
		error = refuse_answer(path);
	if (error) {
		file_close(&file[LOADER_KERNEL]);
		file_close(&file[LOADER_INITRD]);
	}
	return error;
}

static int refuse_ended(const char *path)
{
	return refuse(-EPIPE, "can't unpack '%s': the process that unpacks kernels has ended before",
		      path);
}

/**
 * parser_find() - find on a guest's disk what it starts from, in the process if there is one
 * @disk: a descriptor of the disk, which the caller closes; the process can do with it what it
 *	  allows
 * @path: the disk's name for the person
 * @most: bytes that each file may have
 * @found: filled in
 * @file: descriptors of files in memory go there, which the caller closes; the second may be -1
 *
 * Return: 0, or a negative errno after telling the person.
 */
int parser_find(int disk, const char *path, uint64_t most, struct loader_found *found,
		int file[LOADER_FILES])
{
	struct question question = { .what = FIND, .most = most };

	if (was_ended)
		return refuse_ended(path);
	return parser.pid ? ask_for_files(&question, path, disk, found, file) :
			    loader_find(disk, path, most, found, file);
}

/**
 * parser_open() - unpack and check a kernel, in the process if there is one
 * @kernel: filled in; kernel_close() it if this succeeds
 * @file: the file, which the caller closes
 * @path: its name for the person
 *
 * Return: 0, or a negative errno after telling the person.
 */
int parser_open(struct kernel *kernel, int file, const char *path)
{
	if (was_ended)
		return refuse_ended(path);
	return parser.pid ? ask_for_kernel(kernel, path, file) : kernel_open(kernel, file, path);
}
