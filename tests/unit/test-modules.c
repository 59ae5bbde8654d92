// SPDX-License-Identifier: GPL-2.0-only
/* Which modules a kernel needs to be a guest of "lguest run". */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "session/image.h"
#include "session/modules.h"
#include "unit.h"

static char folder[64];

static const char *path(const char *name)
{
	static char text[128];

	snprintf(text, sizeof(text), "%s/%s", folder, name);
	return text;
}

static void write_file(const char *name, const char *text, size_t size)
{
	FILE *file = fopen(path(name), "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(text, 1, size, file), size);
	fclose(file);
}

static void write_list(const char *name, const char *text)
{
	write_file(name, text, strlen(text));
}

static void set_up(const char *list, const char *builtin)
{
	strcpy(folder, unit_directory());
	modules_folder = folder;
	ck_assert_int_eq(mkdir(path("6.1-x"), 0755), 0);
	write_list("6.1-x/modules.dep", list);
	write_list("6.1-x/modules.builtin", builtin);
}

static void check_list(bool network, const char *wanted)
{
	struct module_list list;
	char text[1024] = "";
	unsigned int i;

	ck_assert_int_eq(modules_find(&list, "6.1-x", network), 0);
	for (i = 0; i < list.count; i++)
		sprintf(text + strlen(text), "%s ", list.path[i]);
	ck_assert_str_eq(text, wanted);
	modules_forget(&list);
}

START_TEST(what_a_module_needs_comes_before_it)
{
	set_up("k/9pnet_xenon.ko:\n"
	       "k/fs/9p/9p.ko.xz: k/net/9pnet.ko.xz k/netfs.ko.xz k/fscache.ko.xz\n"
	       "k/net/9pnet.ko.xz:\n"
	       "k/net/9pnet_xen.ko.xz: k/net/9pnet.ko.xz\n"
	       "k/xen-netfront.ko:\nk/overlay.ko.zst:", "");
	ck_assert(modules_are_known("6.1-x"));
	ck_assert(!modules_are_known("6.1-y"));
	ck_assert_ptr_null(modules_missing("6.1-x"));
	check_list(false, "k/fscache.ko.xz k/netfs.ko.xz k/net/9pnet.ko.xz k/fs/9p/9p.ko.xz k/net/9pnet_xen.ko.xz k/overlay.ko.zst ");
	check_list(true, "k/fscache.ko.xz k/netfs.ko.xz k/net/9pnet.ko.xz k/fs/9p/9p.ko.xz k/net/9pnet_xen.ko.xz k/overlay.ko.zst k/xen-netfront.ko ");
}
END_TEST

START_TEST(what_is_missing_is_named)
{
	set_up("k/overlay.ko:\n", "k/fs/9p.ko\n");
	ck_assert_str_eq(modules_missing("6.1-x"), "9pnet_xen");
	ck_assert_str_eq(modules_missing("6.1-y"), "9p");
	check_list(false, "k/overlay.ko ");
	write_list("6.1-x/modules.builtin", "k/fs/9p.ko\nk/9pnet_xen.ko\n");
	ck_assert_ptr_null(modules_missing("6.1-x"));
	write_list("6.1-x/modules.dep", "");
	check_list(false, "");
}
END_TEST

START_TEST(list_without_end_is_refused)
{
	struct module_list list;
	char text[2048] = "9p.ko:";
	unsigned int i;

	for (i = 0; i < 200; i++)
		sprintf(text + strlen(text), " m%u.ko", i);
	set_up(text, "");
	unit_refused(modules_find(&list, "6.1-x", false), "too many modules");
	modules_forget(&list);
}
END_TEST

START_TEST(module_that_is_listed_but_gone_is_named)
{
	struct module_list list;
	int image;

	set_up("9p.ko:\n", "");
	ck_assert_int_eq(modules_find(&list, "6.1-x", false), 0);
	unit_refused(run_image(&list), "/6.1-x/9p.ko': No such file");
	write_list("6.1-x/9p.ko", "module");
	image = run_image(&list);
	ck_assert_int_ge(image, 0);
	close(image);
	modules_forget(&list);
}
END_TEST

/* A bzImage's header, with the release at @offset + 0x200. */
static void write_kernel(unsigned int offset, const char *release, size_t size)
{
	char file[0x1000] = { 0 };

	memcpy(file + 0x202, "HdrS", 4);
	file[0x20e] = offset;
	file[0x20f] = offset >> 8;
	if (offset + 0x200 + strlen(release) < sizeof(file))
		strcpy(file + 0x200 + offset, release);
	write_file("kernel", file, size);
}

START_TEST(release_is_in_the_header)
{
	static const char * const bad[] = { "", " ", "../x", "a/b", ".", "..", "/" };
	char release[MODULES_RELEASE], text[512];
	size_t i;

	set_up("", "");
	write_kernel(0x100, "6.1-x (a@b) #1 SMP", 0x1000);
	ck_assert_int_eq(modules_release(path("kernel"), release), 0);
	ck_assert_str_eq(release, "6.1-x");
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		write_kernel(0x100, bad[i], 0x1000);
		ck_assert_int_eq(modules_release(path("kernel"), release), -ENOENT);
	}
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	write_kernel(0x100, text, 0x1000);
	ck_assert_int_eq(modules_release(path("kernel"), release), 0);
	ck_assert_uint_eq(strlen(release), MODULES_RELEASE - 1);
	write_kernel(0xffff, "", 0x1000);
	ck_assert_int_eq(modules_release(path("kernel"), release), -ENOENT);
	write_kernel(0x100, "6.1-x", 0x20e);
	ck_assert_int_eq(modules_release(path("kernel"), release), -ENOENT);
	write_file("kernel", "\177ELF", 4);
	ck_assert_int_eq(modules_release(path("kernel"), release), -ENOENT);
	ck_assert_int_eq(modules_release(path("nothing"), release), -ENOENT);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("modules");

	UNIT_ADD(suite, what_a_module_needs_comes_before_it);
	UNIT_ADD(suite, what_is_missing_is_named);
	UNIT_ADD(suite, list_without_end_is_refused);
	UNIT_ADD(suite, module_that_is_listed_but_gone_is_named);
	UNIT_ADD(suite, release_is_in_the_header);
	return unit_run(suite);
}
