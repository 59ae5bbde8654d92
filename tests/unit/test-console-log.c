// SPDX-License-Identifier: GPL-2.0-only
/* --console=FILE: a guest that prints without end does not fill the disk. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "terminal/console_log.h"
#include "unit.h"

static char path[256];

static void use_file(void)
{
	snprintf(path, sizeof(path), "%s/console", unit_directory());
}

/* Return: the file's contents, in static memory. */
static const char *contents(size_t *size)
{
	static char text[CONSOLE_LOG_MAX + 65536];
	int fd = open(path, O_RDONLY);
	ssize_t got;

	*size = 0;
	while ((got = read(fd, text + *size, sizeof(text) - 1 - *size)) > 0)
		*size += got;
	text[*size] = '\0';
	close(fd);
	return text;
}

START_TEST(what_is_there_already_stays)
{
	struct stat status;
	size_t size;

	use_file();
	ck_assert_ptr_null(console_log_path());
	console_log_add("lost", 4);	/* there is no file */
	ck_assert_int_eq(console_log_open(path), 0);
	ck_assert_str_eq(console_log_path(), path);
	console_log_add("one ", 4);
	console_log_close();
	ck_assert_int_eq(console_log_open(path), 0);
	console_log_add("two", 3);
	ck_assert_str_eq(contents(&size), "one two");
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert_int_eq(status.st_mode & 0777, 0600);
	console_log_close();
	ck_assert_ptr_null(console_log_path());
}
END_TEST

START_TEST(its_end_is_what_is_kept)
{
	char line[4097];
	const char *text;
	size_t size, i;

	use_file();
	ck_assert_int_eq(console_log_open(path), 0);
	for (i = 0; i < 3 * CONSOLE_LOG_MAX / 4096; i++) {
		snprintf(line, sizeof(line), "%4095zu\n", i);
		console_log_add(line, 4096);
	}
	text = contents(&size);
	ck_assert_uint_le(size, CONSOLE_LOG_MAX + 4096);
	ck_assert_uint_ge(size, CONSOLE_LOG_CUT);
	/* No line is lost between the first one that is kept and the last one. */
	for (i = 0; i < size / 4096; i++)
		ck_assert_uint_eq(strtoul(text + i * 4096, NULL, 10),
				  3 * CONSOLE_LOG_MAX / 4096 - size / 4096 + i);
	console_log_close();
}
END_TEST

START_TEST(a_file_is_one_guests)
{
	int fd;

	use_file();
	fd = open(path, O_RDWR | O_CREAT, 0600);
	ck_assert_int_eq(flock(fd, LOCK_EX), 0);
	unit_refused(console_log_open(path), "is used by another guest");
	close(fd);
	ck_assert_int_eq(console_log_open(path), 0);
	console_log_close();
}
END_TEST

START_TEST(what_is_no_file_is_refused)
{
	use_file();
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	unit_refused(console_log_open(path), "is not a regular file");
	unit_refused(console_log_open("/dev/null"), "is not a regular file");
	unit_refused(console_log_open("/nowhere/console"), "can't open");
	unit_refused(console_log_open("/"), "can't open");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("console log");

	UNIT_ADD(suite, what_is_there_already_stays);
	UNIT_ADD(suite, its_end_is_what_is_kept);
	UNIT_ADD(suite, a_file_is_one_guests);
	UNIT_ADD(suite, what_is_no_file_is_refused);
	return unit_run(suite);
}
