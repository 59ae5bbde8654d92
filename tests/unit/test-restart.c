// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest that restarts, from the command line to its end: it keeps the files and sockets of
 * its first start, wherever their names lead by then.
 */
#include <asm/bootparam.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "boot/boot.h"
#include "base/clock.h"
#include "base/compiler.h"
#include "option/config.h"
#include "fake_lg.h"
#include "images.h"
#include "lguest_abi.h"
#include "option/options.h"
#include "p9_client.h"
#include "start.h"
#include "unit.h"
#include "vhost_program.h"
#include "virtio/virtio.h"
#include "watch.h"
#include "wrap.h"

#define MOST_BOOTS	4

/* What the guest does in one of its boots; after the last one it powers off. */
typedef void guest(void);

static guest *boot[MOST_BOOTS + 1];
static unsigned int boots;
static struct lguest_run *run;
static uint8_t *memory;		/* the guest's */

int fake_vm_ioctl(unsigned long request, void *argument)
{
	struct lguest_memory *given = argument;

	if (request == LGUEST_SET_MEMORY && !given->guest_phys)
		memory = (uint8_t *)(uintptr_t)given->host_virt;
	if (request != LGUEST_CREATE_VCPU)
		return 0;
	run = fake_vcpu(0);
	return VCPU_FD;
}

int fake_vcpu_ioctl(unsigned int number, unsigned long request, void *argument)
{
	(void)argument;
	ck_assert_uint_eq(number, 0);
	if (request != LGUEST_RUN)
		return 0;
	boot[boots++]();
	run->exit_reason = LGUEST_EXIT_SHUTDOWN;
	run->shutdown.reason = boot[boots] ? LGUEST_SHUTDOWN_RESTART : LGUEST_SHUTDOWN_POWEROFF;
	return 0;
}

static const struct boot_params *params(void)
{
	return (struct boot_params *)(memory + BOOT_PARAMS_GPA);
}

/* Check that the guest's initrd begins with @text. */
static void initrd_is(const char *text)
{
	ck_assert_uint_ge(params()->hdr.ramdisk_size, strlen(text));
	ck_assert_mem_eq(memory + params()->hdr.ramdisk_image, text, strlen(text));
}

/* --- The directory that the host shares, and what lies beside it. --- */

/* Make "vmdir", which is shared and has a kernel in it, and "outside", which is not shared. */
static void make_directory(void)
{
	struct bytes elf = image_elf(5000, LGUEST_ABI_VERSION);
	FILE *file;

	strcpy(top, unit_directory());
	ck_assert_int_eq(chdir(top), 0);
	ck_assert_int_eq(mkdir("vmdir", 0755), 0);
	file = fopen("vmdir/kernel", "w");
	ck_assert_uint_eq(fwrite(elf.at, 1, elf.size, file), elf.size);
	fclose(file);
	image_free(elf);
	write_file("outside", "secret");
}

/* Replace a file by a link, as the guest would: through the server of shared directories. */
static void replace_by_link(const char *name, const char *target)
{
	ck_assert_int_eq(p9_server_init(&server, "vmdir", false), 0);
	ck_assert_int_eq(ask(P9_TVERSION, "4s", N(8192), "9P2000.L"), 0);
	ck_assert_int_eq(ask(P9_TATTACH, "44ss4", N(0), N(-1), "root", "", N(0)), 0);
	ask(P9_TUNLINKAT, "4s4", N(0), name, N(0));
	ck_assert_int_eq(ask(P9_TSYMLINK, "4ss4", N(0), name, target, N(0)), 0);
	p9_server_exit(&server);
}

/* Run lguest with this command line, whose first word is left out. Return: the exit status. */
static int launch(char **word)
{
	char *words[16] = { "lguest" };
	struct options options;
	int status, count = 1;

	while (*word)
		words[count++] = *word++;
	ck_assert_msg(!options_parse(&options, count, words), "%s", unit_last_message);
	close(STDIN_FILENO);
	ck_assert_int_eq(open("/dev/null", O_RDWR), STDIN_FILENO);
	/* The fake lg.ko runs in this process, and needs more rights than the launcher. */
	options.no_sandbox = true;
	status = start_guest(&options, NULL);
	return status;
}

#define LAUNCH(...)	launch((char *[]){ __VA_ARGS__, NULL })

/* --- What leads out of a share. --- */

static void no_initrd_then_a_link(void)
{
	ck_assert_uint_eq(params()->hdr.ramdisk_size, 0);
	replace_by_link("initrd.img", "../outside");
}

static void still_no_initrd(void)
{
	ck_assert_msg(!params()->hdr.ramdisk_size, "the guest has '%.6s'",
		      (char *)memory + params()->hdr.ramdisk_image);
}

START_TEST(default_initrd_that_becomes_a_link_leads_nowhere)
{
	make_directory();
	boot[0] = no_initrd_then_a_link;
	boot[1] = still_no_initrd;
	ck_assert_int_eq(LAUNCH("--share=vmdir", "64m", "vmdir/kernel"), 0);
	ck_assert_uint_eq(boots, 2);
}
END_TEST

static void initrd_becomes_a_link(void)
{
	initrd_is("its own");
	replace_by_link("initrd", "../outside");
}

static void initrd_is_still_its_own(void)
{
	initrd_is("its own");
}

START_TEST(initrd_that_becomes_a_link_is_the_file_it_was)
{
	make_directory();
	write_file("vmdir/initrd", "its own");
	boot[0] = initrd_becomes_a_link;
	boot[1] = initrd_is_still_its_own;
	ck_assert_int_eq(LAUNCH("--share=vmdir", "--initrd=vmdir/initrd", "64m", "vmdir/kernel"), 0);
	ck_assert_uint_eq(boots, 2);
}
END_TEST

/* --- The guest's own disk. --- */

static int own_disk, next_disk;

/* As a guest would that installs another kernel. */
static void installs_another(void)
{
	static char block[4096];
	off_t at;

	initrd_is("the first");
	for (at = 0; pread(next_disk, block, sizeof(block), at) == sizeof(block); at += sizeof(block))
		ck_assert_int_eq(pwrite(own_disk, block, sizeof(block), at), sizeof(block));
}

static void has_another(void)
{
	initrd_is("the next");
}

START_TEST(what_the_guest_has_installed_on_its_disk_is_booted)
{
	make_directory();
	ck_assert_int_eq(system("mkdir root && cp vmdir/kernel root/vmlinuz && echo the first >root/initrd.img &&"
				"/sbin/mke2fs -q -d root disk 8M >/dev/null 2>&1 && echo the next >root/initrd.img &&"
				"/sbin/mke2fs -q -d root next 8M >/dev/null 2>&1"), 0);
	own_disk = open("disk", O_WRONLY);
	next_disk = open("next", O_RDONLY);
	boot[0] = installs_another;
	boot[1] = has_another;
	ck_assert_int_eq(LAUNCH("64m", "--block=disk"), 0);
	ck_assert_uint_eq(boots, 2);
}
END_TEST

static void nothing(void)
{
}

/* A guest that does nothing but restart must not keep the host busy. */
START_TEST(restarts_are_so_far_apart)
{
	int64_t begin = now_ms();

	make_directory();
	boot[0] = boot[1] = boot[2] = boot[3] = nothing;
	ck_assert_int_eq(LAUNCH("64m", "vmdir/kernel"), 0);
	ck_assert_uint_eq(boots, 4);
	ck_assert_int_ge(now_ms() - begin, 1500);
}
END_TEST

static void port_becomes_a_link(void)
{
	replace_by_link("log", "../outside");
}

/* Does this process have the file open? */
static bool is_open(const char *name)
{
	struct stat wanted, status;
	int fd;

	ck_assert_int_eq(stat(name, &wanted), 0);
	for (fd = 0; fd < VM_FD; fd++)
		if (!fstat(fd, &status) && status.st_ino == wanted.st_ino &&
		    status.st_dev == wanted.st_dev)
			return true;
	return false;
}

static void outside_is_closed(void)
{
	ck_assert(!is_open("outside"));
}

START_TEST(port_that_becomes_a_link_leads_nowhere)
{
	make_directory();
	boot[0] = port_becomes_a_link;
	boot[1] = outside_is_closed;
	ck_assert_int_eq(LAUNCH("--share=vmdir", "--port=log:vmdir/log", "64m", "vmdir/kernel"), 0);
	ck_assert_uint_eq(boots, 2);
}
END_TEST

/* --- What a restart keeps. --- */

#define SCRATCH	0x800000	/* memory that nothing uses when a guest starts */

/*
 * Return: the next open descriptor from @fd on that can carry a mark. Leave out the VM, of
 * which each boot has a new one.
 */
static int next_open(int fd)
{
	while (fd < OTHER_VM_FD && fcntl(fd, F_GETSIG) < 0)
		fd++;
	return fd;
}

static unsigned int marked;

/* Mark each open file with a number: one that is opened later has 0. */
static void mark_all(void)
{
	int fd;

	marked = 0;
	for (fd = next_open(0); fd < OTHER_VM_FD; fd = next_open(fd + 1)) {
		ck_assert_int_eq(fcntl(fd, F_SETSIG, SIGRTMIN + 1), 0);
		marked++;
	}
	ck_assert_uint_gt(marked, 10);
}

static void all_are_marked(void)
{
	unsigned int still = 0;
	int fd;

	for (fd = next_open(0); fd < OTHER_VM_FD; fd = next_open(fd + 1)) {
		ck_assert_msg(fcntl(fd, F_GETSIG) == SIGRTMIN + 1, "%d is open, and was not", fd);
		still++;
	}
	ck_assert_uint_eq(still, marked);
}

static void (*first)(void), (*again)(void), (*at_end)(void);

static void first_boot(void)
{
	if (first)
		first();
	mark_all();
	watch_names();
}

static void second_boot(void)
{
	ck_assert_msg(!watch_noted(), "system call %d takes a name", watch_noted());
	all_are_marked();
	if (again)
		again();
}

/* Check that with this option a restart opens nothing, closes nothing and uses no name. */
static void restart_keeps(char *option, guest *in_first, guest *in_second)
{
	first = in_first;
	again = in_second;
	boot[0] = first_boot;
	boot[1] = second_boot;
	boot[2] = second_boot;
	ck_assert_int_eq(LAUNCH(option, "--initrd=vmdir/initrd", "64m", "vmdir/kernel"), 0);
	ck_assert_uint_eq(boots, 3);
	if (at_end)
		at_end();
	/* Skip the leak checker, which would use names of files. */
	_exit(0);
}

static void make_directory_and_initrd(void)
{
	make_directory();
	write_file("vmdir/initrd", "its own");
}

static int probe;	/* the test's own descriptor */

static void replace_disk(void)
{
	replace_by_link("disk", "../outside");
	ck_assert_int_lt(flock(probe, LOCK_EX | LOCK_NB), 0);
}

static void disk_is_locked(void)
{
	ck_assert_int_lt(flock(probe, LOCK_EX | LOCK_NB), 0);
}

START_TEST(restart_keeps_a_disk)
{
	make_directory_and_initrd();
	write_file("vmdir/disk", "");
	probe = open("vmdir/disk", O_RDWR);
	ck_assert_int_eq(ftruncate(probe, 1 << 20), 0);
	restart_keeps("--block=vmdir/disk", replace_disk, disk_is_locked);
}
END_TEST

START_TEST(restart_keeps_a_ports_file)
{
	make_directory_and_initrd();
	restart_keeps("--port=log:vmdir/log,in=vmdir/kernel", port_becomes_a_link, NULL);
}
END_TEST

static int listen_at(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(address.sun_path, name);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	return fd;
}

static int listener;

/* A server that serves one client, and ends. */
static void server_leaves(void)
{
	probe = accept(listener, NULL, NULL);
	ck_assert_int_ge(probe, 0);
	close(listener);
	unlink("vmdir/socket");
}

static void server_still_serves(void)
{
	char byte;

	ck_assert_int_eq(recv(probe, &byte, 1, MSG_DONTWAIT), -1);
	ck_assert_int_eq(errno, EAGAIN);
}

START_TEST(restart_keeps_a_ports_peer)
{
	make_directory_and_initrd();
	listener = listen_at("vmdir/socket");
	restart_keeps("--port=log:vmdir/socket", server_leaves, server_still_serves);
}
END_TEST

static void replace_share(void)
{
	ck_assert_int_eq(rename("vmdir", "moved"), 0);
	ck_assert_int_eq(symlink("/", "vmdir"), 0);
}

START_TEST(restart_keeps_a_share)
{
	make_directory_and_initrd();
	restart_keeps("--share=vmdir", replace_share, NULL);
}
END_TEST

START_TEST(restart_keeps_forwarded_ports)
{
	make_directory_and_initrd();
	restart_keeps("--net=user,hostfwd=tcp:127.0.0.1:48263-:22", NULL, NULL);
}
END_TEST

START_TEST(restart_keeps_a_cable)
{
	make_directory_and_initrd();
	restart_keeps("--net=socket:vmdir/cable", NULL, NULL);
}
END_TEST

static void fill_scratch(void)
{
	memory[SCRATCH] = 1;
}

static void program_is_asked_once(void)
{
	ck_assert_uint_eq(program_heard(GET_FEATURES), 1);
	/* Memory that another program has mapped is all zero again, too. */
	ck_assert_uint_eq(memory[SCRATCH], 0);
	memory[SCRATCH] = 1;
}

START_TEST(restart_keeps_a_program_that_serves_a_disk)
{
	char option[200];

	make_directory_and_initrd();
	program_start(UINT32_MAX);
	at_end = program_end;
	snprintf(option, sizeof(option), "--block=%s", program_value);
	restart_keeps(option, fill_scratch, program_is_asked_once);
}
END_TEST

#define TAP	"lguest-unit"

static int tap_index;

static int ask_tap(unsigned long what, struct ifreq *request)
{
	memset(request, 0, sizeof(*request));
	strcpy(request->ifr_name, TAP);
	return __real_ioctl(probe, what, request);
}

/* Do what a person does when the guest's card has appeared on the host. */
static void give_tap_an_address(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0xc6336401) };
	struct ifreq request;

	ck_assert_int_eq(ask_tap(SIOCGIFINDEX, &request), 0);
	tap_index = request.ifr_ifindex;
	memcpy(&request.ifr_addr, &address, sizeof(address));
	ck_assert_int_eq(__real_ioctl(probe, SIOCSIFADDR, &request), 0);
}

static void tap_is_the_same(void)
{
	struct ifreq request;

	ck_assert_int_eq(ask_tap(SIOCGIFINDEX, &request), 0);
	ck_assert_int_eq(request.ifr_ifindex, tap_index);
	ck_assert_int_eq(ask_tap(SIOCGIFADDR, &request), 0);
	ck_assert_uint_eq(((struct sockaddr_in *)&request.ifr_addr)->sin_addr.s_addr, htonl(0xc6336401));
}

START_TEST(restart_keeps_a_tap_and_its_address)
{
	make_directory_and_initrd();
	probe = socket(AF_INET, SOCK_DGRAM, 0);
	if (geteuid() || access("/dev/net/tun", W_OK))
		return;	/* the selftest "reboot" shows it */
	restart_keeps("--net=tap:" TAP, give_tap_an_address, tap_is_the_same);
}
END_TEST

/* A new kind of device needs a test here. --tunnet is a tap; a selftest tests --vsock. */
START_TEST(each_kind_of_device_has_been_thought_of)
{
	static const char * const known[] = { "block", "net", "tunnet", "share", "port", "vsock" };
	unsigned int i;

	ck_assert_uint_eq(virtio_nr_kinds, ARRAY_SIZE(known));
	for (i = 0; i < virtio_nr_kinds; i++)
		ck_assert_str_eq(virtio_kinds[i]->option, known[i]);
}
END_TEST

/* --- What a restart does not keep. --- */

static uint8_t text[2];		/* the kernel's first byte, before and after */

static void rewrite_files(void)
{
	int fd = open("vmdir/kernel", O_RDWR);
	struct image_head head;

	initrd_is("its own");
	text[0] = memory[IMAGE_TEXT_GPA];
	text[1] = ~text[0];
	ck_assert_int_eq(pread(fd, &head, sizeof(head), 0), sizeof(head));
	ck_assert_int_eq(pwrite(fd, &text[1], 1, head.phdr[0].p_offset), 1);
	close(fd);
	write_file("vmdir/initrd", "a new one");
	memory[SCRATCH] = 1;
}

static void all_is_new(void)
{
	initrd_is("a new one");
	ck_assert_uint_eq(memory[IMAGE_TEXT_GPA], text[1]);
	ck_assert_uint_eq(memory[SCRATCH], 0);
}

/* A guest may update its own kernel. */
START_TEST(restart_reads_what_was_rewritten_in_place)
{
	make_directory_and_initrd();
	boot[0] = rewrite_files;
	boot[1] = all_is_new;
	ck_assert_int_eq(LAUNCH("--initrd=vmdir/initrd", "64m", "vmdir/kernel"), 0);
	ck_assert_uint_eq(boots, 2);
}
END_TEST

static void no_initrd(void)
{
	ck_assert_uint_eq(params()->hdr.ramdisk_size, 0);
}

/* An earlier guest may have left the link. */
START_TEST(default_initrd_that_is_a_link_is_not_taken)
{
	make_directory();
	replace_by_link("initrd.img", "../outside");
	boot[0] = no_initrd;
	ck_assert_int_eq(LAUNCH("64m", "vmdir/kernel"), 0);
	ck_assert_uint_eq(boots, 1);
	ck_assert_ptr_nonnull(strstr(unit_last_message, "is a link, and not taken"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("restart");

	UNIT_ADD(suite, default_initrd_that_becomes_a_link_leads_nowhere);
	UNIT_ADD(suite, initrd_that_becomes_a_link_is_the_file_it_was);
	UNIT_ADD(suite, what_the_guest_has_installed_on_its_disk_is_booted);
	UNIT_ADD(suite, restarts_are_so_far_apart);
	UNIT_ADD(suite, port_that_becomes_a_link_leads_nowhere);
	UNIT_ADD(suite, restart_keeps_a_disk);
	UNIT_ADD(suite, restart_keeps_a_ports_file);
	UNIT_ADD(suite, restart_keeps_a_ports_peer);
	UNIT_ADD(suite, restart_keeps_a_share);
	UNIT_ADD(suite, restart_keeps_forwarded_ports);
	UNIT_ADD(suite, restart_keeps_a_cable);
	UNIT_ADD(suite, restart_keeps_a_program_that_serves_a_disk);
	UNIT_ADD(suite, restart_keeps_a_tap_and_its_address);
	UNIT_ADD(suite, each_kind_of_device_has_been_thought_of);
	UNIT_ADD(suite, restart_reads_what_was_rewritten_in_place);
	UNIT_ADD(suite, default_initrd_that_is_a_link_is_not_taken);
	return unit_run(suite);
}
