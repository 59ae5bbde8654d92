// SPDX-License-Identifier: GPL-2.0-only
/*
 * The launcher's processes: code that somebody brought into one of them can open no file,
 * start no program and reach no socket that the guest was not given.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "option/config.h"
#include "driver.h"
#include "intruder.h"
#include "p9/ring.h"
#include "sandbox/sandbox.h"
#include "base/system_log.h"
#include "base/thread.h"
#include "unit.h"
#include "net/process.h"
#include "sandbox/vm_sandbox.h"

static char *path_of_socket(void)
{
	char *value;

	ck_assert_int_gt(asprintf(&value, "socket:%s/socket", unit_directory()), 0);
	return value;
}

/* --- The process that serves a directory. --- */

/* Send a request, and wait. Return: the answer. */
static const uint8_t *ask(struct p9_process *process, const char *message, size_t size)
{
	struct p9_slot *slot = p9_process_slot(process);

	ck_assert_ptr_nonnull(slot);
	memcpy(slot->request, message, size);
	slot->size = size;
	slot->room = 4096;
	p9_process_ask(process);
	do {
		p9_process_wait(process);
		ck_assert(p9_process_answer(process, &slot));
	} while (!slot);
	ck_assert_uint_ge(slot->replied, P9_HEADER);
	return slot->reply;
}

#define ASK(process, message)	ask(process, message, sizeof(message) - 1)

/* Send Tversion, as all clients do first. */
static void begin(struct p9_process *process)
{
	ck_assert_uint_eq(ASK(process, "\x15\0\0\0\x64\xff\xff\0\x20\0\0\x08\0" "9P2000.L")[4],
			  P9_TVERSION + 1);
}

static void make_a_file_of_another(void)
{
	const char *directory = unit_directory();
	struct p9_process process;
	struct stat status;
	char *path;

	ck_assert_int_eq(p9_process_start(&process, directory, false), 0);
	begin(&process);
	/* Tattach of fid 1 by user 1234, Tlcreate of "new" with mode 0600 and group 567 */
	ck_assert_uint_eq(ASK(&process, "\x17\0\0\0\x68\x01\0\x01\0\0\0\xff\xff\xff\xff\0\0\0\0\xd2\x04\0\0")[4],
			  P9_TATTACH + 1);
	ck_assert_uint_eq(ASK(&process, "\x1c\0\0\0\x0e\x01\0\x01\0\0\0\x03\0new\x02\0\0\0\x80\x01\0\0\x37\x02\0\0")[4],
			  P9_TLCREATE + 1);
	p9_process_stop(&process);
	ck_assert_int_gt(asprintf(&path, "%s/new", directory), 0);
	ck_assert_int_eq(stat(path, &status), 0);
	free(path);
	ck_assert_uint_eq(status.st_uid, geteuid() ? geteuid() : 1234);
	ck_assert_uint_eq(status.st_gid, geteuid() ? getegid() : 567);
	ck_assert_uint_eq(status.st_mode & 07777, 0600);
}

/* Root's server keeps the capabilities that this needs. */
START_TEST(new_files_are_their_makers_through_a_process)
{
	make_a_file_of_another();
}
END_TEST

static void give_away(int capability)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct have[2];

	ck_assert_int_eq(syscall(SYS_capget, &header, have), 0);
	have[capability / 32].effective &= ~(1U << capability % 32);
	have[capability / 32].permitted &= ~(1U << capability % 32);
	have[capability / 32].inheritable &= ~(1U << capability % 32);
	ck_assert_int_eq(syscall(SYS_capset, &header, have), 0);
}

/* Without the right to namespaces it has none: in a user namespace all files would be ours. */
START_TEST(new_files_are_their_makers_where_root_may_make_no_namespaces)
{
	if (!geteuid())
		give_away(CAP_SYS_ADMIN);
	make_a_file_of_another();
}
END_TEST

static void serve_a_directory(bool read_only)
{
	struct p9_process process;

	ck_assert_int_eq(p9_process_start(&process, unit_directory(), read_only), 0);
	begin(&process);
	p9_process_stop(&process);
	ck_assert_int_eq(intruder->processes, 1);
}

START_TEST(who_takes_over_a_server_of_files_has_them_alone)
{
	/*
	 * Only root can have a namespace in which other users still own their files. Landlock
	 * does not know modes.
	 */
	const char *found = geteuid() ? "find_a_directory change_modes " : "";

	intruder_prepare();
	serve_a_directory(false);
	ck_assert_str_eq(intruder->done, found);
}
END_TEST

START_TEST(who_takes_over_a_read_only_one_can_change_nothing)
{
	/* Only root can have a namespace in which other users still own their files. */
	const char *found = geteuid() ? "find_a_directory " : "";

	intruder_prepare();
	serve_a_directory(true);
	ck_assert_str_eq(intruder->done, found);
}
END_TEST

/* Landlock may not control truncation (before Linux 6.2), or be missing. */
static void open_to_change(void)
{
	static const int flags[] = {
		O_WRONLY, O_RDWR, O_RDONLY | O_TRUNC, O_RDONLY | O_CREAT, O_PATH | O_TRUNC,
	};
	unsigned int i;

	intruder->processes++;
	for (i = 0; i < ARRAY_SIZE(flags); i++)
		if (openat(-1, "file", flags[i], 0600) >= 0 || errno != EPERM)
			sprintf(intruder->done + strlen(intruder->done), "0%o ", flags[i]);
}

START_TEST(the_filter_alone_keeps_a_read_only_one_from_changes)
{
	intruder_prepare();
	sandbox_intruder = open_to_change;
	serve_a_directory(true);
	ck_assert_str_eq(intruder->done, "");
}
END_TEST

START_TEST(without_a_sandbox_a_server_of_files_would_have_all)
{
	intruder_prepare();
	sandbox_wanted = false;
	serve_a_directory(false);
	ck_assert_ptr_nonnull(strstr(intruder->done, "open_a_file"));
	ck_assert_ptr_nonnull(strstr(intruder->done, "unix_socket"));
	ck_assert_ptr_nonnull(strstr(intruder->done, "run_a_program"));
	ck_assert_ptr_nonnull(strstr(intruder->done, "change_modes"));
}
END_TEST

/* --- The process of the user network. --- */

static struct virtio_device device;
static struct driver driver;

static void make_card(void)
{
	driver_init(&driver);
	ck_assert_int_eq(virtio_net_kind.init(&device, &driver.memory, "user"), 0);
	driver_run(&driver, &device, 0);
}

static void use_network(void)
{
	intruder_prepare();
	make_card();
	driver_stop(&driver);
	ck_assert_int_eq(intruder->processes, 1);
}

START_TEST(who_takes_over_the_user_network_has_the_internet_alone)
{
	use_network();
	ck_assert_str_eq(intruder->done, "internet_socket ");
}
END_TEST

START_TEST(without_a_sandbox_the_user_network_would_have_all)
{
	sandbox_wanted = false;
	use_network();
	ck_assert_ptr_nonnull(strstr(intruder->done, "open_a_file"));
	ck_assert_ptr_nonnull(strstr(intruder->done, "unix_socket"));
	ck_assert_ptr_nonnull(strstr(intruder->done, "run_a_program"));
	ck_assert_ptr_nonnull(strstr(intruder->done, "change_modes"));
}
END_TEST

static void see_name_servers(void)
{
	intruder->processes++;
	if (!access("/etc/resolv.conf", R_OK) || open("/etc/resolv.conf", O_RDONLY) >= 0)
		strcat(intruder->done, "name_servers ");
}

START_TEST(the_user_network_finds_its_name_servers)
{
	intruder_prepare();
	sandbox_intruder = see_name_servers;
	make_card();
	driver_stop(&driver);
	ck_assert_str_eq(intruder->done, access("/etc/resolv.conf", R_OK) ? "" : "name_servers ");
}
END_TEST

START_TEST(a_user_network_that_is_never_ready_is_not_waited_for)
{
	int64_t begin = now_ms();

	sandbox_intruder = intruder_sleep;
	net_process_limit_ms = 500;
	driver_init(&driver);
	driver.device = &device;
	unit_refused(virtio_net_kind.init(&device, &driver.memory, "user"), "is not ready after");
	ck_assert_int_lt(now_ms() - begin, 10000);
	driver_stop(&driver);
	ck_assert(waitpid(-1, NULL, 0) > 0 || errno == ECHILD);
}
END_TEST

/* The process says that it runs, and then ends. */
static void run_and_die(void)
{
	int fd;

	for (fd = 3; fd < 100; fd++)
		send(fd, "ready", 5, MSG_NOSIGNAL);
	_exit(0);
}

START_TEST(the_user_networks_end_is_told_and_the_link_goes_down)
{
	int i;

	sandbox_intruder = run_and_die;
	make_card();
	for (i = 0; i < 1000 && !unit_messages; i++)
		usleep(10000);
	driver_stop(&driver);
	ck_assert_int_eq(unit_messages, 1);
	ck_assert_ptr_nonnull(strstr(unit_last_message, "the guest has no network any more"));
	ck_assert_int_eq(((struct virtio_net_config *)device.config)->status, 0);
}
END_TEST

/* --- The launcher's main process. --- */

static void *break_in(void *nothing)
{
	intruder_try_all();
	return nothing;
}

/* Try what a device's thread can do once the guest runs. */
static void serve_a_device(void)
{
	struct thread thread;
	pid_t child;

	intruder_prepare();
	sandbox_intruder = NULL;
	child = fork();
	if (!child) {
		vm_sandbox(-1);
		if (!thread_start(&thread, break_in, NULL))
			thread_join(&thread);
		_exit(0);	/* skip the leak checker, which needs more rights than are left */
	}
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	ck_assert_int_eq(intruder->processes, 1);
}

START_TEST(who_takes_over_a_device_has_what_the_guest_was_given)
{
	serve_a_device();
	ck_assert_str_eq(intruder->done, "");
}
END_TEST

/* Make a card with a cable: --net=VALUE. */
static void make_cable(const char *value)
{
	driver_init(&driver);
	ck_assert_int_eq(virtio_net_kind.init(&device, &driver.memory, value), 0);
}

static void has_unix_sockets_alone(void)
{
	ck_assert_ptr_null(strstr(intruder->done, "open_a_file"));
	ck_assert_ptr_null(strstr(intruder->done, "make_a_file"));
	ck_assert_ptr_null(strstr(intruder->done, "internet_socket"));
	ck_assert_ptr_null(strstr(intruder->done, "run_a_program"));
	ck_assert_ptr_nonnull(strstr(intruder->done, "unix_socket"));
}

START_TEST(who_meets_others_at_a_socket_has_unix_sockets_too)
{
	char *value = path_of_socket();

	make_cable(value);
	serve_a_device();
	has_unix_sockets_alone();
	free(value);
}
END_TEST

/* The name is relative to the directory of the start; a detached guest runs in another one. */
START_TEST(who_meets_others_has_the_folder_that_the_name_was_said_in)
{
	ck_assert_int_eq(chdir(unit_directory()), 0);
	make_cable("socket:here");
	ck_assert_int_eq(chdir("/"), 0);
	serve_a_device();
	has_unix_sockets_alone();
}
END_TEST

/* Can a file be made in each of these folders, which have the guest's sockets? */
static bool can_use_all(const int folder[OPTIONS_MAX_DEVICES])
{
	unsigned int i;
	int fd;

	for (i = 0; i < OPTIONS_MAX_DEVICES; i++) {
		fd = openat(folder[i], "a-file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0)
			return false;
		close(fd);
	}
	return true;
}

START_TEST(who_meets_others_at_many_sockets_keeps_the_folder_of_each)
{
	int folder[OPTIONS_MAX_DEVICES], status;
	unsigned int i;
	pid_t child;

	for (i = 0; i < OPTIONS_MAX_DEVICES; i++) {
		folder[i] = open(unit_directory(), O_PATH | O_DIRECTORY | O_CLOEXEC);
		vm_sandbox_meets_in(folder[i]);
	}
	child = fork();
	if (!child) {
		vm_sandbox(-1);
		_exit(can_use_all(folder) ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	for (i = 0; i < OPTIONS_MAX_DEVICES; i++) {
		vm_sandbox_leaves(folder[i]);
		close(folder[i]);
	}
}
END_TEST

static int bind_log(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* Enter a sandbox that leaves names of files, but no new sockets, as without namespaces. */
static bool writes_to_a_new_daemon(int daemon)
{
	static const struct sandbox_call calls[] = {
		SANDBOX_CALL(sendto), SANDBOX_CALL(recvfrom), SANDBOX_CALL(getpid),
		SANDBOX_CALL(futex), SANDBOX_CALL(exit_group),
	};
	static const struct sandbox sandbox = { .calls = calls, .count = ARRAY_SIZE(calls) };
	char text[256] = "";

	tzset();
	sandbox_enter(&sandbox);
	system_log("one line");
	system_log("another one");
	return recv(daemon, text, sizeof(text) - 1, MSG_DONTWAIT) > 0 && strstr(text, ": one line") &&
	       recv(daemon, text, sizeof(text) - 1, MSG_DONTWAIT) > 0 && strstr(text, ": another one");
}

START_TEST(the_systems_log_is_written_to_whoever_has_its_name)
{
	const char *directory = unit_directory();
	char name[64], new_name[64];
	int old, new, status;
	pid_t child;

	snprintf(name, sizeof(name), "%s/log", directory);
	snprintf(new_name, sizeof(new_name), "%s/new", directory);
	old = bind_log(name);
	system_log_open(name);
	new = bind_log(new_name);
	ck_assert_int_eq(rename(new_name, name), 0);
	close(old);
	child = fork();
	if (!child)
		_exit(writes_to_a_new_daemon(new) ? 0 : 1);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	close(new);
}
END_TEST

START_TEST(without_a_sandbox_a_device_has_all)
{
	sandbox_wanted = false;
	serve_a_device();
	ck_assert_ptr_nonnull(strstr(intruder->done, "open_a_file"));
	ck_assert_ptr_nonnull(strstr(intruder->done, "unix_socket"));
	ck_assert_ptr_nonnull(strstr(intruder->done, "run_a_program"));
	ck_assert_ptr_nonnull(strstr(intruder->done, "change_modes"));
	ck_assert_ptr_nonnull(strstr(intruder->done, "write_code"));
}
END_TEST

START_TEST(an_answer_that_was_not_asked_for_is_seen)
{
	struct p9_process process;
	struct p9_slot *slot;

	ck_assert_int_eq(p9_process_start(&process, unit_directory(), false), 0);
	ck_assert(p9_process_answer(&process, &slot));
	ck_assert_ptr_null(slot);
	atomic_store(&process.ring->answered, 1);
	ck_assert(!p9_process_answer(&process, &slot));
	p9_process_stop(&process);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sandbox");

	UNIT_ADD(suite, who_takes_over_a_server_of_files_has_them_alone);
	UNIT_ADD(suite, who_takes_over_a_read_only_one_can_change_nothing);
	UNIT_ADD(suite, new_files_are_their_makers_through_a_process);
	UNIT_ADD(suite, new_files_are_their_makers_where_root_may_make_no_namespaces);
	UNIT_ADD(suite, the_filter_alone_keeps_a_read_only_one_from_changes);
	UNIT_ADD(suite, without_a_sandbox_a_server_of_files_would_have_all);
	UNIT_ADD(suite, an_answer_that_was_not_asked_for_is_seen);
	UNIT_ADD(suite, who_takes_over_a_device_has_what_the_guest_was_given);
	UNIT_ADD(suite, who_meets_others_at_a_socket_has_unix_sockets_too);
	UNIT_ADD(suite, who_meets_others_has_the_folder_that_the_name_was_said_in);
	UNIT_ADD(suite, who_meets_others_at_many_sockets_keeps_the_folder_of_each);
	UNIT_ADD(suite, the_systems_log_is_written_to_whoever_has_its_name);
	UNIT_ADD(suite, without_a_sandbox_a_device_has_all);
	UNIT_ADD(suite, who_takes_over_the_user_network_has_the_internet_alone);
	UNIT_ADD(suite, without_a_sandbox_the_user_network_would_have_all);
	UNIT_ADD(suite, the_user_network_finds_its_name_servers);
	UNIT_ADD(suite, a_user_network_that_is_never_ready_is_not_waited_for);
	UNIT_ADD(suite, the_user_networks_end_is_told_and_the_link_goes_down);
	return unit_run(suite);
}
