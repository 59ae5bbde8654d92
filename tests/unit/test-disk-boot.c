// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest that starts from what is on its own disk: what is found there, by whom, and what of
 * a disk that lies is refused, in one line. The images are made by mke2fs and sfdisk.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/message.h"
#include "boot/boot.h"
#include "boot/from_disk.h"
#include "boot/parser.h"
#include "boot/plan.h"
#include "images.h"
#include "intruder.h"
#include "option/config.h"
#include "option/options.h"
#include "sandbox/sandbox.h"
#include "unit.h"

#define MIB		(1ULL << 20)
#define UUID		"01234567-89ab-cdef-0123-456789abcdef"
#define OTHER_UUID	"fedcba98-7654-3210-fedc-ba9876543210"

/* A grub.cfg as grub-mkconfig writes it, in short, with DEFAULT to come. */
#define GRUB_DEFAULT(value)						\
	"if [ \"${next_entry}\" ] ; then\n"				\
	"   set default=\"${next_entry}\"\n"				\
	"else\n   set default=\"" value "\"\nfi\n"			\
	"function load_video {\n  insmod all_video\n}\n"
#define GRUB_ENTRIES							\
	"menuentry 'One' --class debian $menuentry_id_option 'id-one' {\n"	\
	"\tload_video\n\tsearch --no-floppy --fs-uuid --set=root 1234\n"	\
	"\techo\t'Loading Linux ...'\n"					\
	"\tlinux\t/boot/one root=UUID=1 ro  'a b' ${extra} console=ttyS0 -- single\n" \
	"\tinitrd\t/boot/ucode /boot/one.img\n}\n"			\
	"submenu 'More' $menuentry_id_option 'id-more' {\n"		\
	"\tmenuentry 'Two' $menuentry_id_option 'id-two' {\n"		\
	"\t\tlinux\t/boot/two root=UUID=2\n\t}\n"			\
	"\tmenuentry 'Three' $menuentry_id_option 'id-three' {\n"	\
	"\t\tlinux\t/boot/three root=UUID=3\n\t}\n}\n"			\
	"menuentry 'Set-up' {\n\tfwsetup\n}\n"

static char directory[64];	/* of a test */
static char disk[80];		/* the disk's file in it */
static struct boot_request request;
static struct options options;

__printf(1, 2) static void shell(const char *format, ...)
{
	char command[4096];
	va_list list;

	va_start(list, format);
	ck_assert_int_lt(vsnprintf(command, sizeof(command), format, list), (int)sizeof(command));
	va_end(list);
	ck_assert_msg(!system(command), "failed: %s", command);
}

/* Write @text to a file of the root directory to be. */
static void put(const char *name, const char *text)
{
	char path[160];
	FILE *file;

	snprintf(path, sizeof(path), "%s/root%s", directory, name);
	shell("mkdir -p $(dirname %s)", path);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

static void begin(void)
{
	snprintf(directory, sizeof(directory), "%s", unit_directory());
	snprintf(disk, sizeof(disk), "%s/disk", directory);
	shell("mkdir -p %s/root/etc", directory);
}

/* The root directory becomes the whole disk. */
static void make_disk(void)
{
	shell("/sbin/mke2fs -q -t ext4 -U " UUID " -d %s/root %s 8M >/dev/null 2>&1", directory, disk);
}

/* A disk with partitions, as sfdisk's @table says; the root directory goes to where @at MiB is. */
static void make_partitions(const char *table, unsigned int at)
{
	shell("truncate -s 64M %s && printf '%s' | /sbin/sfdisk -q %s", disk, table, disk);
	shell("/sbin/mke2fs -q -t ext4 -U " UUID " -E offset=%llu -d %s/root %s 8M >/dev/null 2>&1",
	      at * MIB, directory, disk);
}

/* Start the launcher's way to the point where it has all that the guest starts from. */
static int find(void)
{
	static char option[100];
	static char *argv[] = { (char *)"lguest", (char *)"64m", option, NULL };

	snprintf(option, sizeof(option), "--block=%s", disk);
	ck_assert_int_eq(options_parse(&options, 3, argv), 0);
	argv[1] = (char *)"64m";
	argv[2] = option;
	memset(&request, 0, sizeof(request));
	request.kernel.fd = request.initrd.fd = -1;
	return boot_plan_open(&options, &request);
}

static void file_is(const struct boot_file *file, const char *text)
{
	char is[128] = "";

	ck_assert_int_ge(file->fd, 0);
	ck_assert_int_eq(pread(file->fd, is, sizeof(is) - 1, 0), strlen(text));
	ck_assert_str_eq(is, text);
}

static void line_is(const char *devices, const char *line)
{
	char *made = from_disk_command_line(&options, &request, devices);

	ck_assert_str_eq(made, line);
	free(made);
}

/* Check what is found. @initrd: NULL: none. */
static void found_is(const char *kernel, const char *initrd, const char *line)
{
	int error = find();

	ck_assert_msg(!error, "refused: %s", unit_last_message);
	file_is(&request.kernel, kernel);
	if (initrd)
		file_is(&request.initrd, initrd);
	else
		ck_assert_int_lt(request.initrd.fd, 0);
	line_is("", line);
	boot_plan_close(&request);
	ck_assert_int_eq(unit_messages, 0);
}

static void refused_is(const char *words)
{
	unit_refused(find(), words);
	boot_plan_close(&request);
}

START_TEST(without_a_boot_loader_the_usual_names_count)
{
	begin();
	put("/boot/vmlinuz-1", "the kernel");
	put("/boot/initrd.img-1", "the initrd");
	shell("cd %s/root && ln -s boot/vmlinuz-1 vmlinuz && ln -s /boot/initrd.img-1 initrd.img",
	      directory);
	make_disk();
	found_is("the kernel", "the initrd", "console=hvc0 root=UUID=" UUID " rw");
}
END_TEST

START_TEST(without_an_initrd_the_root_is_the_disk_itself)
{
	begin();
	put("/boot/vmlinuz", "the kernel");
	make_disk();
	found_is("the kernel", NULL, "console=hvc0 root=/dev/vda rw");
	ck_assert_int_eq(find(), 0);
	request.xen = true;
	line_is("device=1", "device=1 console=hvc0 root=/dev/xvda rw");
	boot_plan_close(&request);
}
END_TEST

START_TEST(partitions_are_looked_into)
{
	begin();
	put("/vmlinuz", "the kernel");
	put("/initrd.img", "the initrd");
	make_partitions("label: gpt\\nsize=1M, type=U\\nsize=16M, uuid=" OTHER_UUID "\\n", 2);
	found_is("the kernel", "the initrd", "console=hvc0 root=UUID=" UUID " rw");
	shell("rm %s", disk);
	make_partitions("label: dos\\nlabel-id: 0x1234\\nsize=1M\\ntype=5\\nstart=8192, size=16M\\n", 4);
	found_is("the kernel", "the initrd", "console=hvc0 root=UUID=" UUID " rw");
	shell("rm %s %s/root/initrd.img", disk, directory);
	make_partitions("label: gpt\\nsize=1M, type=U\\nsize=16M, uuid=" OTHER_UUID "\\n", 2);
	found_is("the kernel", NULL, "console=hvc0 root=PARTUUID=" OTHER_UUID " rw");
}
END_TEST

START_TEST(a_partition_for_boot_alone_has_the_root_beside_it)
{
	begin();
	make_partitions("label: gpt\\nsize=16M\\nsize=16M\\n", 1);
	shell("rm -r %s/root && mkdir -p %s/root", directory, directory);
	put("/vmlinuz", "the kernel");
	put("/initrd.img", "the initrd");
	shell("/sbin/mke2fs -q -t ext4 -E offset=%llu -d %s/root %s 8M >/dev/null 2>&1", 17 * MIB,
	      directory, disk);
	found_is("the kernel", "the initrd", "console=hvc0 root=UUID=" UUID " rw");
}
END_TEST

/* Make the disk anew with this grub.cfg, and three kernels with their initrds. */
static void grub_is(const char *where, const char *config)
{
	if (*disk)
		shell("rm -f %s", disk);
	put(where, config);
	put("/boot/one", "kernel 1");
	put("/boot/two", "kernel 2");
	put("/boot/three", "kernel 3");
	put("/boot/ucode", "microcode");
	put("/boot/one.img", "initrd 1");
	put("/vmlinuz", "not this one");
	make_disk();
}

START_TEST(grubs_default_entry_counts)
{
	char initrds[] = "microcode\0\0\0initrd 1";

	begin();
	grub_is("/boot/grub/grub.cfg", GRUB_DEFAULT("0") GRUB_ENTRIES);
	ck_assert_int_eq(find(), 0);
	file_is(&request.kernel, "kernel 1");
	ck_assert_int_eq(pread(request.initrd.fd, initrds, sizeof(initrds), 0), sizeof(initrds) - 1);
	ck_assert_mem_eq(initrds, "microcode\0\0\0initrd 1", sizeof(initrds) - 1);
	line_is("", "root=UUID=1 ro \"a b\" console=ttyS0 console=hvc0 -- single");
	options.append = "console=ttyS1 quiet";
	line_is("", "root=UUID=1 ro \"a b\" console=ttyS0 console=ttyS1 quiet -- single");
	boot_plan_close(&request);
}
END_TEST

START_TEST(grubs_default_may_be_said_in_many_ways)
{
	static const struct { const char *config, *kernel; } cases[] = {
		{ GRUB_DEFAULT("1") GRUB_ENTRIES, "kernel 2" },
		{ GRUB_DEFAULT("1>1") GRUB_ENTRIES, "kernel 3" },
		{ GRUB_DEFAULT("id-more>id-three") GRUB_ENTRIES, "kernel 3" },
		{ GRUB_DEFAULT("More>Two") GRUB_ENTRIES, "kernel 2" },
		{ GRUB_DEFAULT("saved") GRUB_ENTRIES, "kernel 1" },
		{ GRUB_DEFAULT("${saved_entry}") GRUB_ENTRIES, "kernel 1" },
		{ GRUB_DEFAULT("2") GRUB_ENTRIES, "kernel 1" },
		{ GRUB_DEFAULT("nonsense>>>") GRUB_ENTRIES, "kernel 1" },
		{ GRUB_ENTRIES, "kernel 1" },
	};
	size_t i;

	begin();
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		grub_is("/boot/grub2/grub.cfg", cases[i].config);
		ck_assert_int_eq(find(), 0);
		file_is(&request.kernel, cases[i].kernel);
		boot_plan_close(&request);
	}
}
END_TEST

/* Ubuntu's cloud images have one kernel twice: with an initrd, and without. */
START_TEST(the_first_kernel_of_an_entry_counts)
{
	begin();
	grub_is("/boot/grub/grub.cfg",
		"menuentry 'Ubuntu' {\n\tif [ \"${initrdfail}\" = 1 ]; then\n"
		"\t  linux\t/boot/one root=PARTUUID=1 ro\n\t  initrd\t/boot/one.img\n\telse\n"
		"\t  linux\t/boot/one root=PARTUUID=1 ro panic=-1\n\tfi\n\tinitrdfail\n}\n");
	found_is("kernel 1", "initrd 1", "root=PARTUUID=1 ro console=hvc0");
}
END_TEST

START_TEST(a_grub_without_an_entry_leaves_it_to_others)
{
	static const char * const configs[] = {
		"", "\n", "}\n}\n", "menuentry 'x' {\n", "linux /boot/one\n", "'", "\\",
		"menuentry {\nlinux\n}\n", "menuentry x {\nlinux $root/one\n}\n",
		"a {\nb {\nc {\nd {\ne {\nf {\ng {\nh {\ni {\nmenuentry {\nlinux /boot/one\n}\n}\n}\n",
	};
	size_t i;

	begin();
	for (i = 0; i < ARRAY_SIZE(configs); i++) {
		grub_is("/boot/grub/grub.cfg", configs[i]);
		ck_assert_int_eq(find(), 0);
		file_is(&request.kernel, "not this one");
		boot_plan_close(&request);
	}
}
END_TEST

START_TEST(the_last_entry_of_loader_entries_counts)
{
	begin();
	put("/etc/fstab", "");
	put("/boot/grub2/grub.cfg", "insmod blscfg\nblscfg\nmenuentry 'UEFI' {\nfwsetup\n}\n");
	put("/boot/loader/entries/m-0-rescue.conf", "title Rescue\nlinux /no\n");
	put("/boot/loader/entries/m-6.9.1.conf", "title Old\nlinux /no\n");
	put("/boot/loader/entries/m-6.12.1.conf",
	    "title New\n# no\nversion 6.12.1\nlinux /new\ninitrd /new.img $tuned_initrd\n"
	    "options root=UUID=5 ro $kernelopts\noptions quiet\n");
	put("/boot/loader/entries/z.txt", "linux /no\n");
	put("/new", "new kernel");
	put("/new.img", "new initrd");
	make_disk();
	found_is("new kernel", "new initrd", "root=UUID=5 ro quiet console=hvc0");
}
END_TEST

START_TEST(what_can_not_be_booted_from_is_named)
{
	begin();
	shell("truncate -s 8M %s", disk);
	refused_is("only the whole disk (nothing known)");
	shell("printf 'LUKS\\272\\276\\0\\001' | dd of=%s conv=notrunc status=none && printf " UUID
	      " | dd of=%s bs=1 seek=168 conv=notrunc status=none", disk, disk);
	refused_is("only the whole disk (LUKS, encrypted)");
	shell("rm %s", disk);
	make_disk();
	refused_is("nor /vmlinuz is on the whole disk (ext4)");
	shell("rm %s", disk);
	make_partitions("label: dos\\nsize=16M\\nsize=16M\\n", 1);
	refused_is("nor /vmlinuz is on partition 1 (ext4), partition 2 (nothing known)");
	shell("rm %s", disk);
	refused_is("can't open the disk");
	shell("mkfifo %s", disk);
	refused_is("is no file or block device");
}
END_TEST

START_TEST(what_is_no_kernel_file_is_refused)
{
	begin();
	shell("mkdir %s/root/vmlinuz", directory);
	make_disk();
	refused_is("the kernel '/vmlinuz' on the whole disk (ext4), found by its usual name, is a directory");
	shell("cd %s/root && rm -r vmlinuz ../disk && ln -s vmlinux vmlinuz && ln -s vmlinuz vmlinux",
	      directory);
	make_disk();
	refused_is("is a link that leads through too many others");
	shell("cd %s/root && rm vmlinuz ../disk && truncate -s 65M vmlinuz", directory);
	make_disk();
	refused_is("is larger than the guest's memory");
	shell("cd %s/root && rm vmlinuz ../disk && mkfifo vmlinuz", directory);
	make_disk();
	refused_is("is not a file");
	shell("cd %s/root && rm vmlinuz ../disk && echo kernel >vmlinuz && mkdir initrd.img", directory);
	make_disk();
	refused_is("the initrd '/initrd.img' on the whole disk (ext4), found by its usual name, is a directory");
	grub_is("/boot/grub/grub.cfg", "menuentry x {\nlinux /boot/four\n}\n");
	refused_is("the kernel '/boot/four' on the whole disk (ext4), found by GRUB's entry, is not there");
}
END_TEST

/* Links that lead up and up stay inside of the file system. */
START_TEST(no_name_leads_out_of_the_disk)
{
	begin();
	shell("cd %s/root && ln -s ../../../../../../../../../../bin/sh vmlinuz", directory);
	make_disk();
	refused_is("nor /vmlinuz is on");
	put("/bin/sh", "the disk's own");
	shell("rm %s", disk);
	make_disk();
	found_is("the disk's own", NULL, "console=hvc0 root=/dev/vda rw");
}
END_TEST

START_TEST(a_name_or_line_without_end_is_left_out)
{
	static char config[40000];

	begin();
	strcpy(config, "menuentry 'x' {\nlinux /boot/one ");
	memset(config + strlen(config), 'a', 30000);
	strcat(config, "\nlinux /");
	memset(config + strlen(config), 'b', 300);
	strcat(config, "\nlinux /boot/two x\n}\n");
	grub_is("/boot/grub/grub.cfg", config);
	found_is("kernel 2", NULL, "x console=hvc0 root=/dev/vda rw");
}
END_TEST

/* Groups without number, in a file that has room for their table. */
START_TEST(a_superblock_that_wants_all_memory_is_refused)
{
	begin();
	put("/vmlinuz", "the kernel");
	shell("/sbin/mke2fs -q -b 1024 -O ^metadata_csum,^64bit,^flex_bg,^resize_inode -d %s/root %s 8M >/dev/null 2>&1",
	      directory, disk);
	shell("truncate -s 16G %s", disk);
	found_is("the kernel", NULL, "console=hvc0 root=/dev/vda rw");
	shell("printf 'ssv blocks_per_group 256\nssv clusters_per_group 256\nssv inodes_per_group 8\n"
	      "ssv blocks_count 0xfffffff0\nssv inodes_count 0x8000000\n' |"
	      "/sbin/debugfs -w -f - %s >/dev/null 2>&1", disk);
	refused_is("a file system on it can't be read: ");
}
END_TEST

/* Break the disk in one place after the other: it is found or refused, in one line at most. */
START_TEST(a_broken_file_system_is_refused_in_one_line)
{
	static uint8_t noise[4096];
	int file, i;
	size_t j;

	begin();
	grub_is("/boot/grub/grub.cfg", GRUB_DEFAULT("0") GRUB_ENTRIES);
	ck_assert_int_eq(parser_start(), 0);
	shell("cp %s %s.whole", disk, disk);
	for (i = 0; i < 200; i++) {
		shell("cp --sparse=always %s.whole %s", disk, disk);
		for (j = 0; j < sizeof(noise); j++)
			noise[j] = unit_random();
		file = open(disk, O_WRONLY);
		if (i & 1)
			pwrite(file, noise, sizeof(noise), unit_random() % 512 * 4096);
		else
			pwrite(file, noise, 1 + unit_random() % 8, unit_random() % 40960);
		close(file);
		unit_forget();
		if (find())
			ck_assert_int_eq(unit_messages, 1);
		else
			ck_assert_int_eq(unit_messages, 0);
		boot_plan_close(&request);
		/* A crash, and the limit of lines, end it for good. */
		ck_assert_msg(!strstr(unit_last_message, "has ended"), "%s", unit_last_message);
		if (i % 10 == 9) {
			parser_stop();
			ck_assert_int_eq(parser_start(), 0);
		}
	}
	parser_stop();
}
END_TEST

START_TEST(each_start_reads_the_disk_anew)
{
	begin();
	put("/vmlinuz", "old kernel");
	make_disk();
	ck_assert_int_eq(parser_start(), 0);
	ck_assert_int_eq(find(), 0);
	file_is(&request.kernel, "old kernel");
	from_disk_forget(&request);
	ck_assert_int_lt(request.kernel.fd, 0);
	put("/vmlinuz", "a newer kernel");
	shell("/sbin/debugfs -w -R 'rm /vmlinuz' %s 2>/dev/null && /sbin/debugfs -w -R 'write %s/root/vmlinuz /vmlinuz' %s >/dev/null 2>&1",
	      disk, directory, disk);
	ck_assert_int_eq(from_disk_read(&request), 0);
	file_is(&request.kernel, "a newer kernel");
	boot_plan_close(&request);
	parser_stop();
}
END_TEST

START_TEST(a_journal_that_was_not_brought_in_is_told)
{
	begin();
	put("/vmlinuz", "the kernel");
	make_disk();
	shell("/sbin/debugfs -w -R 'feature needs_recovery' %s >/dev/null 2>&1", disk);
	found_is("the kernel", NULL, "console=hvc0 root=/dev/vda rw");
	message_verbose = true;
	unit_remember();
	ck_assert_int_eq(find(), 0);
	ck_assert_ptr_nonnull(strstr(unit_said, "the whole disk (ext4) was not unmounted"));
	ck_assert_ptr_nonnull(strstr(unit_said, "the whole disk (ext4), by its usual name: kernel /vmlinuz, initrd none"));
	boot_plan_close(&request);
}
END_TEST

START_TEST(who_takes_over_the_process_has_nothing)
{
	begin();
	put("/vmlinuz", "the kernel");
	make_disk();
	intruder_prepare();
	ck_assert_int_eq(parser_start(), 0);
	found_is("the kernel", NULL, "console=hvc0 root=/dev/vda rw");
	parser_stop();
	ck_assert_int_eq(intruder->processes, 1);
	ck_assert_str_eq(intruder->done, "");
}
END_TEST

START_TEST(a_guest_of_either_abi_may_be_on_the_disk)
{
	struct bytes elf = image_xen_elf(5000), image = image_bzimage(LZ4, elf);
	char path[100];
	int file;

	begin();
	put("/vmlinuz", "");
	snprintf(path, sizeof(path), "%s/root/vmlinuz", directory);
	file = open(path, O_WRONLY);
	ck_assert_int_eq(file_write(file, image, 0), 0);
	close(file);
	make_disk();
	ck_assert_int_eq(parser_start(), 0);
	ck_assert_int_eq(find(), 0);
	ck_assert_int_eq(boot_plan_abi(&options, &request), 0);
	ck_assert(request.xen);
	boot_plan_close(&request);
	put("/vmlinuz", "no kernel");
	shell("rm %s", disk);
	make_disk();
	ck_assert_int_eq(find(), 0);
	unit_refused(boot_plan_abi(&options, &request), "disk:/vmlinuz' is neither a bzImage nor");
	boot_plan_close(&request);
	parser_stop();
	image_free(image);
	image_free(elf);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("disk-boot");

	UNIT_ADD(suite, without_a_boot_loader_the_usual_names_count);
	UNIT_ADD(suite, without_an_initrd_the_root_is_the_disk_itself);
	UNIT_ADD(suite, partitions_are_looked_into);
	UNIT_ADD(suite, a_partition_for_boot_alone_has_the_root_beside_it);
	UNIT_ADD(suite, grubs_default_entry_counts);
	UNIT_ADD(suite, grubs_default_may_be_said_in_many_ways);
	UNIT_ADD(suite, the_first_kernel_of_an_entry_counts);
	UNIT_ADD(suite, a_grub_without_an_entry_leaves_it_to_others);
	UNIT_ADD(suite, the_last_entry_of_loader_entries_counts);
	UNIT_ADD(suite, what_can_not_be_booted_from_is_named);
	UNIT_ADD(suite, what_is_no_kernel_file_is_refused);
	UNIT_ADD(suite, no_name_leads_out_of_the_disk);
	UNIT_ADD(suite, a_name_or_line_without_end_is_left_out);
	UNIT_ADD(suite, a_superblock_that_wants_all_memory_is_refused);
	UNIT_ADD(suite, a_broken_file_system_is_refused_in_one_line);
	UNIT_ADD(suite, each_start_reads_the_disk_anew);
	UNIT_ADD(suite, a_journal_that_was_not_brought_in_is_told);
	UNIT_ADD(suite, who_takes_over_the_process_has_nothing);
	UNIT_ADD(suite, a_guest_of_either_abi_may_be_on_the_disk);
	return unit_run(suite);
}
