// SPDX-License-Identifier: GPL-2.0-only
/*
 * The process that unpacks kernels: code that a kernel has brought into it can reach
 * nothing, and the launcher does not wait for it for ever.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/message.h"
#include "base/file.h"
#include "images.h"
#include "intruder.h"
#include "boot/kernel.h"
#include "lguest_abi.h"
#include "boot/parser.h"
#include "sandbox/process.h"
#include "sandbox/sandbox.h"
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

START_TEST(without_a_sandbox_the_parser_would_have_all)
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
	ck_assert_ptr_nonnull(strstr(intruder->done, "change_modes"));
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

static void talk_for_ever(void)
{
	int fd;

	for (;;)
		for (fd = STDERR_FILENO + 1; fd < 10; fd++)
			process_send(fd, "la", 2, NULL, 0);
}

/* Check that a parser that does this is ended, and that no other one takes its place. */
static void end_parser_that(void (*does)(void), unsigned int lines, const char *words)
{
	char *path = kernel_file();
	int file = file_open(path, "kernel");
	int64_t begin = now_ms();
	struct kernel kernel;

	sandbox_intruder = does;
	ck_assert_int_eq(parser_start(), 0);
	ck_assert_int_lt(parser_open(&kernel, file, path), 0);
	ck_assert_int_lt(now_ms() - begin, 10000);
	ck_assert_uint_eq(unit_messages, lines + 1);
	ck_assert_ptr_nonnull(strstr(unit_last_message, words));
	/* The process has been killed; on a busy machine the launcher may not have seen its end. */
	ck_assert(waitpid(-1, NULL, 0) > 0 || errno == ECHILD);
	unit_forget();
	unit_refused(parser_open(&kernel, file, path), "has ended before");
	parser_stop();
	close(file);
	free(path);
}

START_TEST(a_strangers_line_does_not_play_with_the_terminal)
{
	char line[] = "a\033[2J \xc2\x9b" "31m \x9b" "b \xc3\xa9 \xe2\x82\xac \x7f \n\t\xe2\x82";

	message_plain(line, strlen(line));
	ck_assert_str_eq(line, "a?[2J ??31m ?b \xc3\xa9 \xe2\x82\xac ?   ??");
}
END_TEST

START_TEST(a_parser_that_says_nothing_is_ended)
{
	parser_limit_ms = 500;
	end_parser_that(intruder_sleep, 0, "has not finished");
}
END_TEST

START_TEST(a_parser_that_does_not_stop_talking_is_ended)
{
	end_parser_that(talk_for_ever, 16, "prints too much");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("parser");

	UNIT_ADD(suite, who_takes_over_the_parser_has_nothing);
	UNIT_ADD(suite, without_a_sandbox_the_parser_would_have_all);
	UNIT_ADD(suite, the_parsers_end_is_told);
	UNIT_ADD(suite, a_strangers_line_does_not_play_with_the_terminal);
	UNIT_ADD(suite, a_parser_that_says_nothing_is_ended);
	UNIT_ADD(suite, a_parser_that_does_not_stop_talking_is_ended);
	return unit_run(suite);
}
