// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names of guests, their control sockets, and the answers there while no guest runs.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/client.h"
#include "base/clock.h"
#include "base/compiler.h"
#include "control/control.h"
#include "option/config.h"
#include "terminal/recent.h"
#include "control/runtime.h"
#include "terminal/terminal.h"
#include "unit.h"

static struct options options = {
	.name = "one", .cpus = 2, .memory = 64ULL << 20, .kernel = "k\xffrnel",
};

/* Make a runtime directory for this test. */
static void use_directory(void)
{
	setenv("XDG_RUNTIME_DIR", unit_directory(), 1);
}

/* Send @size bytes of a request to the socket @fd. Return: the answer; "" if there is none. */
static const char *answer_on(int fd, const char *request, size_t size)
{
	static char text[4096];
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t have = 0;
	ssize_t got;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/lguest/one.sock",
		 getenv("XDG_RUNTIME_DIR"));
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(send(fd, request, size, MSG_NOSIGNAL), size);
	shutdown(fd, SHUT_WR);
	while ((got = recv(fd, text + have, sizeof(text) - 1 - have, 0)) > 0)
		have += got;
	text[have] = '\0';
	close(fd);
	return text;
}

static const char *answer(const char *request, size_t size)
{
	return answer_on(socket(AF_UNIX, SOCK_STREAM, 0), request, size);
}

#define ANSWER(request)	answer(request, strlen(request))

START_TEST(names)
{
	static const char * const good[] = { "a", "0", "web-1", "a.b_c" };
	static const char * const bad[] = {
		"", ".", "..", "-x", "a/b", "a b", "\xc3\xa9", "../../etc/passwd",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(good); i++)
		ck_assert_int_eq(runtime_check_name(good[i]), 0);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		unit_refused(runtime_check_name(bad[i]), "is no name for a guest");
}
END_TEST

START_TEST(a_name_is_one_guests)
{
	struct runtime runtime;
	int first, second;
	pid_t pid = 0;

	use_directory();
	ck_assert_int_eq(runtime_open(&runtime, false), -ENOENT);
	ck_assert_int_eq(unit_messages, 0);
	ck_assert_int_eq(runtime_open(&runtime, true), 0);
	first = runtime_listen(&runtime, "one");
	ck_assert_int_ge(first, 0);
	second = runtime_listen(&runtime, "two");
	ck_assert_int_ge(second, 0);
	unit_refused(runtime_listen(&runtime, "one"), "already, of process");
	ck_assert_int_ge(runtime_connect(&runtime, "one", &pid), 0);
	ck_assert_int_eq(pid, getpid());
	/* Nobody listens on the socket any more: the next guest may have the name. */
	close(first);
	ck_assert_int_eq(runtime_connect(&runtime, "one", &pid), -ENOENT);
	ck_assert_int_ge(runtime_listen(&runtime, "one"), 0);
	runtime_close(&runtime);
	close(second);
}
END_TEST

START_TEST(a_directory_must_be_ours_alone)
{
	struct runtime runtime;
	char path[128];

	use_directory();
	snprintf(path, sizeof(path), "%s/lguest", getenv("XDG_RUNTIME_DIR"));
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(chmod(path, 0750), 0);
	unit_refused(runtime_open(&runtime, true), "is not yours alone");
	ck_assert_int_eq(rmdir(path), 0);
	/* Another user's link to a directory of ours. */
	ck_assert_int_eq(symlink("/", path), 0);
	unit_refused(runtime_open(&runtime, true), "can't open");
}
END_TEST

START_TEST(a_path_too_long_is_refused)
{
	char path[200];
	struct runtime runtime;

	snprintf(path, sizeof(path), "%s%0*d", unit_directory(), 100, 0);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	setenv("XDG_RUNTIME_DIR", path, 1);
	unit_refused(runtime_open(&runtime, true), "too long");
}
END_TEST

/* After su or "sudo -E" root must not make anything in the caller's directory. */
START_TEST(the_directory_of_another_user_is_not_used)
{
	struct runtime runtime = { 0 };
	char path[128];

	if (geteuid())
		return;		/* only root can make such a directory */
	use_directory();
	ck_assert_int_eq(chown(getenv("XDG_RUNTIME_DIR"), 1000, 1000), 0);
	if (!runtime_open(&runtime, false))
		runtime_close(&runtime);
	ck_assert_str_eq(runtime.path, "/run/lguest");
	snprintf(path, sizeof(path), "%s/lguest", getenv("XDG_RUNTIME_DIR"));
	ck_assert_int_eq(access(path, F_OK), -1);
	/* Nor is a name used that is no directory, or empty. */
	setenv("XDG_RUNTIME_DIR", "/dev/null", 1);
	if (!runtime_open(&runtime, false))
		runtime_close(&runtime);
	ck_assert_str_eq(runtime.path, "/run/lguest");
}
END_TEST

START_TEST(answers_without_a_guest)
{
	use_directory();
	ck_assert_int_eq(control_init(&options), 0);
	ck_assert_int_eq(control_start(), 0);
	ck_assert_ptr_nonnull(strstr(ANSWER("info\n"), "\"state\":\"starting\""));
	ck_assert_ptr_nonnull(strstr(ANSWER("info\n"), "\"kernel\":\"k?rnel\""));
	ck_assert_ptr_nonnull(strstr(ANSWER("info\n"), "\"uptime\":0"));
	ck_assert_ptr_nonnull(strstr(ANSWER("info\n"), "\"version\":1"));
	ck_assert_ptr_nonnull(strstr(ANSWER("dance\n"), "\"version\":1"));
	recent_add("the last line\r\n", 15);
	ck_assert_str_eq(ANSWER("log\n"), "{\"text\":\"the last line\",\"ok\":true,\"version\":1}\n");
	ck_assert_ptr_nonnull(strstr(ANSWER("pause\n"), "it is not running"));
	ck_assert_ptr_nonnull(strstr(ANSWER("stats\n"), "it is not running"));
	ck_assert_ptr_nonnull(strstr(ANSWER("balloon 1\n"), "it is not running"));
	ck_assert_ptr_nonnull(strstr(ANSWER("stop\n"), "it is not running"));
	ck_assert(!control_killed());
	ck_assert_str_eq(ANSWER("kill\n"), "{\"ok\":true,\"version\":1}\n");
	ck_assert(control_killed());
	control_exit();
	ck_assert_int_eq(unit_messages, 0);
}
END_TEST

START_TEST(nonsense_is_answered_or_dropped)
{
	char line[CONTROL_LINE_MAX + 10];

	use_directory();
	ck_assert_int_eq(control_init(&options), 0);
	ck_assert_int_eq(control_start(), 0);
	ck_assert_ptr_nonnull(strstr(ANSWER("dance\n"), "no such request"));
	ck_assert_ptr_nonnull(strstr(ANSWER("\n"), "no such request"));
	ck_assert_ptr_nonnull(strstr(ANSWER("info now\n"), "takes 0 words"));
	ck_assert_ptr_nonnull(strstr(ANSWER("balloon 1 2 3 4\n"), "takes 1 words"));
	ck_assert_str_eq(ANSWER("info"), "");
	ck_assert_str_eq(ANSWER(""), "");
	ck_assert_str_eq(answer("in\0fo\n", 6), "");
	ck_assert_str_eq(ANSWER("info\ninfo\n"), "");
	memset(line, 'x', sizeof(line));
	ck_assert_str_eq(answer(line, CONTROL_LINE_MAX), "");
	ck_assert_ptr_nonnull(strstr(ANSWER("info\n"), "\"ok\":true"));
	control_exit();
}
END_TEST

/* A guest can make the launcher open files until no descriptor is left. */
START_TEST(it_answers_with_no_descriptor_left)
{
	struct timeval patience = { .tv_sec = 20 };
	struct rlimit limit;
	int client[3];
	unsigned int i;

	use_directory();
	ck_assert_int_eq(control_init(&options), 0);
	ck_assert_int_eq(control_start(), 0);
	ck_assert_ptr_nonnull(strstr(ANSWER("info\n"), "\"ok\":true"));
	for (i = 0; i < ARRAY_SIZE(client); i++) {
		client[i] = socket(AF_UNIX, SOCK_STREAM, 0);
		ck_assert_int_eq(setsockopt(client[i], SOL_SOCKET, SO_RCVTIMEO, &patience,
					    sizeof(patience)), 0);
	}
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = 100;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	while (dup(STDIN_FILENO) >= 0)
		;
	ck_assert_int_eq(errno, EMFILE);
	for (i = 0; i < ARRAY_SIZE(client); i++) {
		ck_assert_ptr_nonnull(strstr(answer_on(client[i], "info\n", 5), "\"ok\":true"));
		while (dup(STDIN_FILENO) >= 0)
			;
	}
	control_exit();
}
END_TEST

START_TEST(a_client_is_told_why_not)
{
	json_t *good;
	pid_t pid;

	use_directory();
	ck_assert_ptr_null(client_ask("one", &pid, "info"));
	unit_refused(-1, "there is no guest 'one'");
	ck_assert_int_eq(control_init(&options), 0);
	ck_assert_int_eq(control_start(), 0);
	good = client_ask("one", &pid, "info");
	ck_assert_ptr_nonnull(good);
	/* control_ask() takes out "ok", which every answer has. */
	ck_assert_ptr_null(json_object_get(good, "ok"));
	ck_assert_ptr_null(json_object_get(good, "version"));
	json_decref(good);
	ck_assert_ptr_null(client_ask("one", &pid, "pause"));
	unit_refused(-1, "the guest 'one': it is not running");
	control_exit();
	ck_assert_ptr_null(client_ask("one", &pid, "info"));
	unit_refused(-1, "there is no guest 'one'");
}
END_TEST

/* Start a process that takes the name, and answers with @says. */
static pid_t impostor(const char *says)
{
	struct runtime runtime;
	int listener, fd;
	pid_t child;

	ck_assert_int_eq(runtime_open(&runtime, true), 0);
	listener = runtime_listen(&runtime, "one");
	runtime_close(&runtime);
	child = fork();
	if (child)
		return child;
	fcntl(listener, F_SETFL, 0);	/* let accept() wait */
	fd = accept(listener, NULL, NULL);
	if (write(fd, says, strlen(says)) < 0)
		_exit(1);
	close(fd);
	_exit(0);
}

START_TEST(nonsense_of_a_launcher_is_no_answer)
{
	static const char * const nonsense[] = { "", "\n", "x\n", "[1]\n", "{}\n", "{\"ok\":1}\n", "{\"ok\":tr" };
	unsigned int i;
	pid_t pid, child;

	for (i = 0; i < ARRAY_SIZE(nonsense); i++) {
		use_directory();
		child = impostor(nonsense[i]);
		ck_assert_ptr_null(client_ask("one", &pid, "info"));
		unit_refused(-1, "does not answer");
		waitpid(child, NULL, 0);
	}
}
END_TEST

/* The signal that ends the thread's wait must not start the wait anew. */
START_TEST(a_client_that_says_nothing_does_not_keep_us_from_ending)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int64_t begin;

	use_directory();
	ck_assert_int_eq(control_init(&options), 0);
	ck_assert_int_eq(control_start(), 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/lguest/one.sock",
		 getenv("XDG_RUNTIME_DIR"));
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	usleep(200000);		/* until the thread waits for our request */
	begin = now_ms();
	control_exit();
	ck_assert_int_lt(now_ms() - begin, 4000);
	close(fd);
}
END_TEST

/* There is no guest yet that could be asked to power down. */
START_TEST(sigterm_without_a_guest_ends_us)
{
	pid_t child;
	int status;

	use_directory();
	child = fork();
	if (!child) {
		if (terminal_init() || control_init(&options) || control_start())
			_exit(1);
		kill(getpid(), SIGTERM);
		sleep(60);
		_exit(2);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM, "status 0x%x", status);
}
END_TEST

/* The control thread may be busy: here nobody acts on the first signal. */
START_TEST(a_second_sigterm_ends_us_whatever_goes_on)
{
	pid_t child;
	int status;

	child = fork();
	if (!child) {
		int nobody = eventfd(0, EFD_CLOEXEC);

		if (terminal_init())
			_exit(1);
		terminal_pass_term(nobody);
		raise(SIGTERM);
		if (eventfd_read(nobody, &(eventfd_t){ 0 }))
			_exit(2);
		raise(SIGTERM);
		_exit(3);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM, "status 0x%x", status);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("control");

	unit_add(suite, "names", names);
	unit_add(suite, "a_name_is_one_guests", a_name_is_one_guests);
	unit_add(suite, "a_directory_must_be_ours_alone", a_directory_must_be_ours_alone);
	unit_add(suite, "a_path_too_long_is_refused", a_path_too_long_is_refused);
	unit_add(suite, "the_directory_of_another_user_is_not_used",
		 the_directory_of_another_user_is_not_used);
	unit_add(suite, "answers_without_a_guest", answers_without_a_guest);
	unit_add(suite, "nonsense_is_answered_or_dropped", nonsense_is_answered_or_dropped);
	unit_add(suite, "it_answers_with_no_descriptor_left", it_answers_with_no_descriptor_left);
	unit_add(suite, "a_client_is_told_why_not", a_client_is_told_why_not);
	unit_add(suite, "nonsense_of_a_launcher_is_no_answer", nonsense_of_a_launcher_is_no_answer);
	unit_add(suite, "a_client_that_says_nothing_does_not_keep_us_from_ending",
		 a_client_that_says_nothing_does_not_keep_us_from_ending);
	unit_add(suite, "sigterm_without_a_guest_ends_us", sigterm_without_a_guest_ends_us);
	unit_add(suite, "a_second_sigterm_ends_us_whatever_goes_on", a_second_sigterm_ends_us_whatever_goes_on);
	return unit_run(suite);
}
