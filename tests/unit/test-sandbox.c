// SPDX-License-Identifier: GPL-2.0-only
/*
 * The launcher's processes: code in one of them, whoever brought it there, can open
 * nothing, start nothing and reach no socket that the guest was not given.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "images.h"
#include "intruder.h"
#include "kernel.h"
#include "lguest_abi.h"
#include "parser.h"
#include "process.h"
#include "sandbox.h"
#include "unit.h"

static char *kernel_file(void)
{
	struct bytes elf = image_elf(5000, LGUEST_ABI_VERSION), image = image_bzimage(XZ, elf);
	FILE *file;
	char *path;

	ck_assert_int_gt(asprintf(&path, "%s/bzImage", unit_directory()), 0);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(image.at, 1, image.size, file), image.size);
	fclose(file);
	image_free(image);
	image_free(elf);
	return path;
}

/* --- A process. --- */

static void echo(int socket, void *argument)
{
	char text[64];
	unsigned int count = 1;
	int fd;
	ssize_t size = process_receive(socket, text, sizeof(text), &fd, &count);

	(void)argument;
	if (size > 0)
		process_send(socket, text, size, &fd, count);
}

START_TEST(messages_go_to_a_process_and_back_with_descriptors)
{
	struct process process;
	unsigned int count = 4;
	int pipe_ends[2], fds[4];
	char text[64];

	ck_assert_int_eq(process_start(&process, "echo", echo, NULL, NULL, 0), 0);
	ck_assert(!process_has_ended(&process));
	ck_assert_int_eq(pipe(pipe_ends), 0);
	ck_assert_int_eq(process_send(process.socket, "hello", 5, &pipe_ends[1], 1), 0);
	ck_assert_int_eq(process_receive(process.socket, text, sizeof(text), fds, &count), 5);
	ck_assert_uint_eq(count, 1);
	ck_assert_int_eq(write(fds[0], "x", 1), 1);
	ck_assert_int_eq(read(pipe_ends[0], text, 1), 1);
	/* It ends then, and that is seen. */
	ck_assert_int_eq(process_receive(process.socket, text, sizeof(text), fds, &count), 0);
	process_stop(&process);
	process_stop(&process);
}
END_TEST

static void show_descriptors(int socket, void *argument)
{
	char text[64] = "";
	int fd;

	(void)argument;
	for (fd = 0; fd < 100; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%d ",
				 fd == socket ? "socket " : "", fd);
	process_send(socket, text, strlen(text), NULL, 0);
}

START_TEST(a_process_has_the_descriptors_that_it_was_given)
{
	char text[64] = "", expected[64];
	struct process process;
	int i, fds[20], keep[2];

	for (i = 0; i < 20; i++)
		fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	keep[0] = fds[15];
	keep[1] = fds[3];
	ck_assert_int_eq(process_start(&process, "show", show_descriptors, NULL, keep, 2), 0);
	ck_assert_int_gt(process_receive(process.socket, text, sizeof(text) - 1, NULL, NULL), 0);
	snprintf(expected, sizeof(expected), "0 1 2 %d %d socket ", keep[1], keep[0]);
	ck_assert_int_eq(strncmp(text, expected, strlen(expected)), 0);
	process_stop(&process);
}
END_TEST

/* --- The one that unpacks kernels. --- */

static void unpack_twice(void)
{
	char *path = kernel_file();
	int i, file = file_open(path, "kernel");
	struct kernel kernel;

	ck_assert_int_eq(parser_start(), 0);
	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(parser_open(&kernel, file, path), 0);
		ck_assert_uint_eq(kernel.image.segments, 2);
		ck_assert_uint_ge(kernel.image.segment[0].contents.size, 1);
		kernel_close(&kernel);
	}
	parser_stop();
	close(file);
	free(path);
}

START_TEST(who_takes_over_the_parser_has_nothing)
{
	intruder_prepare();
	unpack_twice();
	ck_assert_int_eq(intruder->processes, 1);
	ck_assert_str_eq(intruder->done, "");
}
END_TEST

START_TEST(without_a_sandbox_they_would_have_all)
{
	intruder_prepare();
	sandbox_wanted = false;
	unpack_twice();
	ck_assert_int_eq(intruder->processes, 1);
	ck_assert_ptr_nonnull(strstr(intruder->done, "open_a_file"));
	ck_assert_ptr_nonnull(strstr(intruder->done, "unix_socket"));
	ck_assert_ptr_nonnull(strstr(intruder->done, "internet_socket"));
	ck_assert_ptr_nonnull(strstr(intruder->done, "start_a_process"));
	ck_assert_ptr_nonnull(strstr(intruder->done, "run_a_program"));
	ck_assert_ptr_nonnull(strstr(intruder->done, "write_code"));
	ck_assert_ptr_nonnull(strstr(intruder->done, "signal_others"));
}
END_TEST

static void die(void)
{
	_exit(1);
}

START_TEST(the_parsers_end_is_told)
{
	char *path = kernel_file();
	int file = file_open(path, "kernel");
	struct kernel kernel;

	sandbox_intruder = die;
	ck_assert_int_eq(parser_start(), 0);
	unit_refused(parser_open(&kernel, file, path), "the process that unpacks kernels has ended");
	parser_stop();
	free(path);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sandbox");

	UNIT_ADD(suite, messages_go_to_a_process_and_back_with_descriptors);
	UNIT_ADD(suite, a_process_has_the_descriptors_that_it_was_given);
	UNIT_ADD(suite, who_takes_over_the_parser_has_nothing);
	UNIT_ADD(suite, without_a_sandbox_they_would_have_all);
	UNIT_ADD(suite, the_parsers_end_is_told);
	return unit_run(suite);
}
