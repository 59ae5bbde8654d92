// SPDX-License-Identifier: GPL-2.0-only
/*
 * The program as the person sees it: its exit statuses, and what it prints to standard
 * output and to standard error.
 */
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/compiler.h"
#include "command/check.h"
#include "images.h"
#include "lguest_abi.h"
#include "unit.h"

static char out[65536], err[65536];
static const char *directory;

static char *in_directory(const char *name)
{
	char *path;

	ck_assert_int_gt(asprintf(&path, "%s/%s", directory, name), 0);
	return path;
}

static void read_file(const char *name, char *text, size_t size)
{
	char *path = in_directory(name);
	FILE *file = fopen(path, "r");

	ck_assert_ptr_nonnull(file);
	text[fread(text, 1, size - 1, file)] = '\0';
	fclose(file);
	unlink(path);
	free(path);
}

/* Run lguest with arguments for the shell. Return: its exit status. */
static int lguest(const char *arguments)
{
	char *command;
	int status;

	ck_assert_int_gt(asprintf(&command, "cd %s && " LAUNCHER " %s >out 2>err </dev/null",
				  directory, arguments), 0);
	status = system(command);
	free(command);
	read_file("out", out, sizeof(out));
	read_file("err", err, sizeof(err));
	ck_assert_msg(WIFEXITED(status), "it died: %s", err);
	return WEXITSTATUS(status);
}

/* Check: this exit status, an empty standard output, and one line with these words. */
static void ends(int wanted, const char *arguments, const char *words)
{
	int status = lguest(arguments);
	char *newline = strchr(err, '\n');

	ck_assert_msg(status == wanted, "lguest %s: exit status %d: %s", arguments, status, err);
	ck_assert_msg(!strncmp(err, "lguest: ", 8), "lguest %s: %s", arguments, err);
	ck_assert_msg(newline && !newline[1], "lguest %s: not one line: %s", arguments, err);
	ck_assert_msg(strstr(err, words) != NULL, "lguest %s: '%s' is not in: %s", arguments, words,
		      err);
	ck_assert_str_eq(out, "");
}

/* Check that lguest calls these arguments wrong. */
static void misused(const char *arguments, const char *words)
{
	ends(2, arguments, words);
}

/* Check that lguest can't do what these arguments want. */
static void fails(const char *arguments, const char *words)
{
	ends(1, arguments, words);
}

static void write_image(const char *name, struct bytes image, size_t size)
{
	char *path = in_directory(name);
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(image.at, 1, size, file), size);
	fclose(file);
	free(path);
}

static void set_up(void)
{
	struct bytes elf = image_elf(5000, LGUEST_ABI_VERSION), image = image_bzimage(XZ, elf), bad;

	directory = unit_directory();
	write_image("vmlinux", elf, elf.size);
	write_image("bzImage", image, image.size);
	write_image("truncated", image, image.size - 100);
	write_image("empty", image, 0);
	((uint8_t *)image.at)[IMAGE_PAYLOAD_OFFSET + 1000] ^= 1;
	write_image("corrupt", image, image.size);
	image_free(image);
	((struct image_head *)elf.at)->entry.header.n_type = 9;
	write_image("plain", elf, elf.size);
	image_free(elf);
	bad = image_elf(100, 999);
	write_image("abi", bad, bad.size);
	image_free(bad);
}

START_TEST(bad_input_gets_one_line_and_its_status)
{
	set_up();
	misused("", "how much memory");
	misused("64m", "which kernel");
	misused("--frobnicate 64m bzImage", "unknown option '--frobnicate'");
	misused("--cpus=0 64m bzImage", "'0' is not a number of CPUs that a guest can have");
	misused("--cpus=17 64m bzImage", "'17' is not a number of CPUs");
	misused("--cpus=x 64m bzImage", "'x' is not a number of CPUs");
	misused("--cpus", "option '--cpus' needs a value: --cpus=N");
	misused("--cpu=1 64m bzImage", "unknown option '--cpu=1': did you mean --cpus?");
	misused("--initrd= 64m bzImage", "option '--initrd=' needs a value: --initrd=FILE");
	misused("--net 64m bzImage", "'64m' was taken as the value of --net: say --net=MODE");
	misused("--net 64m", "'64m' was taken as the value of --net");
	misused("--net=64m 64m bzImage", "no kind of network");
	misused("--shadow=1k 64m bzImage", "too little for the shadow page tables");
	misused("--timeout=1 64m bzImage", "--timeout is for 'lguest run'");
	misused("--json 64m bzImage", "--json is for commands");
	misused("64q bzImage", "not an amount of memory");
	misused("0 bzImage", "too small");
	fails("100000g bzImage", "more than this host has");
	fails("--shadow=100000g 64m bzImage", "--shadow: 102400000 MiB are more than this host has");
	ends(125, "run --kernel=bzImage --memory=100000g true", "more than this host has");
	misused("run --kernel bzImage --cpus 17 true", "'17' is not a number of CPUs");
	ends(125, "run --kernel bzImage --share /nowhere true", "'/nowhere'");
	misused("run --rw=1 true", "option '--rw=1' takes no value");
	misused("run --verbose --share", "option '--share' needs a value");
	misused("run --timeout", "option '--timeout' needs a value");
	misused("stop one --timeout", "option '--timeout' needs a value");
	fails("1m bzImage", "too small a guest for the kernel 'bzImage': give it 23m");
	fails("64m nothing", "can't open the kernel 'nothing': No such file");
	fails("64m .", "is not a file");
	fails("64m empty", "neither a bzImage nor an ELF");
	fails("64m /etc/passwd", "neither a bzImage nor an ELF");
	fails("64m truncated", "truncated");
	fails("64m corrupt", "does not unpack");
	fails("64m plain", "no lguest support: build one");
	fails("64m abi", "version 999 of the guest ABI, this lguest version 2");
	fails("--initrd=nothing 64m bzImage", "can't open the initrd 'nothing'");
	fails("--initrd=/proc/self/exe 20k bzImage", "too small");
	fails("--block=nothing 64m bzImage", "can't open the disk 'nothing'");
	/* All is well but for the module. */
	if (access("/dev/lguest", F_OK)) {
		fails("64m bzImage", "module lg is not loaded: make && sudo insmod lg.ko");
		fails("64m vmlinux quiet --help", "module lg is not loaded");
		fails("--cpus=16 64m bzImage", "module lg is not loaded");
	}
}
END_TEST

START_TEST(run_has_its_options_and_no_others)
{
	set_up();
	misused("run --bogus true", "unknown option '--bogus'");
	misused("run -x true", "unknown option '-x'");
	misused("run --cpu 4 true", "unknown option '--cpu': did you mean --cpus?");
	misused("run --nam foo true", "unknown option '--nam': did you mean --name?");
	misused("run --initrd=x true", "--initrd does not go with 'lguest run'");
	misused("run --detach true", "--detach does not go with 'lguest run'");
	misused("run --panic-status=256 true", "'256' is no exit status: say 0 to 255");
	misused("run --net=lan --kernel=bzImage true", "no kind of network");
	/* Words after "--" are the command's, not lguest's. */
	ends(125, "run --kernel=nothing -- --bogus -x", "can't open the kernel 'nothing'");
	ends(125, "run --kernel=nothing true --bogus", "can't open the kernel 'nothing'");
	ck_assert_int_eq(lguest("run -h"), 0);
	ck_assert_ptr_nonnull(strstr(out, "\n  --panic-status=N"));
	ck_assert_ptr_nonnull(strstr(out, "\n  --share=DIR"));
	ck_assert_ptr_null(strstr(out, "--initrd"));
}
END_TEST

START_TEST(commands_are_told_from_amounts)
{
	set_up();
	misused("lst", "'lst' is neither a command nor an amount of memory, such as 64m: did you mean 'list'?");
	misused("xyzzy", "'xyzzy' is neither a command nor an amount of memory, such as 64m: 'lguest --help'");
	misused("--cpus=2 list", "--cpus comes behind 'list', or does not go with it");
	misused("list x", "takes nothing but --json");
	misused("console", "which guest?");
	misused("log -f", "log of which guest?");
	misused("log a b", "is not for lguest log");
	misused("wait", "wait which guest?");
	misused("wait a --timeout=0", "is not a number of seconds");
	misused("--console=x 64m bzImage", "--console is for a guest without a terminal");
	misused("stop", "stop which guest?");
	misused("kill a b", "is not for lguest kill");
	misused("balloon a", "how much?");
	misused("balloon a x", "not an amount of memory");
	misused("kill ../x", "is no name for a guest");
}
END_TEST

START_TEST(every_command_has_help)
{
	static const char * const commands[] = {
		"list", "console", "log", "stop", "wait", "kill", "pause", "resume", "balloon", "stats", "run",
	};
	char words[64];
	size_t i;

	set_up();
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		static const char * const forms[] = { "%s --help", "help %s", "%s -h" };
		size_t form;

		for (form = 0; form < ARRAY_SIZE(forms); form++) {
			snprintf(words, sizeof(words), forms[form], commands[i]);
			ck_assert_int_eq(lguest(words), 0);
			snprintf(words, sizeof(words), "Usage: lguest %s ", commands[i]);
			ck_assert_msg(!strncmp(out, words, strlen(words)), "%s", out);
			ck_assert_str_eq(err, "");
		}
	}
	misused("help nosuch", "'nosuch' is no command");
}
END_TEST

/* Return: is there a blank before a newline? */
static bool has_trailing_blanks(void)
{
	return strstr(out, " \n") || strstr(out, "\t\n");
}

START_TEST(help_and_version_go_to_standard_output)
{
	set_up();
	ck_assert_int_eq(lguest("--help"), 0);
	ck_assert_ptr_nonnull(strstr(out, "Usage: lguest [OPTIONS] MEMORY KERNEL"));
	ck_assert_str_eq(err, "");
	ck_assert_int_eq(lguest("help"), 0);
	ck_assert_ptr_nonnull(strstr(out, "Usage: lguest [OPTIONS] MEMORY KERNEL"));
	ck_assert_ptr_nonnull(strstr(out, "lguest help"));
	ck_assert_str_eq(err, "");
	ck_assert(!has_trailing_blanks());
	ck_assert_int_eq(lguest("-h"), 0);
	ck_assert_ptr_nonnull(strstr(out, "Usage: lguest [OPTIONS] MEMORY KERNEL"));
	ck_assert_int_eq(lguest("run --help"), 0);
	ck_assert(!has_trailing_blanks());
	ck_assert_int_eq(lguest("--version"), 0);
	ck_assert_ptr_nonnull(strstr(out, "guest ABI 2"));
	ck_assert_int_eq(lguest("-V"), 0);
	ck_assert_ptr_nonnull(strstr(out, "guest ABI 2"));
	ck_assert_int_eq(lguest("--json --version"), 0);
	ck_assert_ptr_nonnull(strstr(out, "\"abi\":2,\"control\":1}\n"));
	ck_assert_str_eq(err, "");
}
END_TEST

START_TEST(verbose_says_what_is_done)
{
	set_up();
	lguest("--verbose 64m bzImage quiet");
	ck_assert_ptr_nonnull(strstr(err, "xz payload"));
	ck_assert_ptr_nonnull(strstr(err, " virtio_mmio.device=512@0xd0002000:3 quiet\n"));
	ck_assert_ptr_nonnull(strstr(err, "entry at 0xffffffff81000123"));
}
END_TEST

/* A host in a directory, for --check. */
static void host_file(const char *name, const char *contents, size_t size)
{
	char *path = in_directory(name), *slash;

	for (slash = path + strlen(directory) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
	free(path);
	write_image(name, (struct bytes){ (const uint8_t *)contents, size }, size);
}

#define HOST_FILE(name, text) host_file(name, text, strlen(text))

static bool check_json;

/* Run --check on that host. Return: the exit status; the output is in out. */
static int check_it(void)
{
	int pipe_fd[2], status, got;
	pid_t child;

	ck_assert_int_eq(pipe(pipe_fd), 0);
	child = fork();
	if (!child) {
		dup2(pipe_fd[1], STDOUT_FILENO);
		exit(check_host(directory, check_json));
	}
	close(pipe_fd[1]);
	waitpid(child, &status, 0);
	got = read(pipe_fd[0], out, sizeof(out) - 1);
	ck_assert_int_gt(got, 0);
	out[got] = '\0';
	close(pipe_fd[0]);
	return WEXITSTATUS(status);
}

static void says(const char *words)
{
	ck_assert_msg(strstr(out, words) != NULL, "'%s' is not in:\n%s", words, out);
}

#define GOOD_CPU "processor : 0\nflags\t\t: fpu lm nx fsgsbase xsave smap\n"
#define SECURE_BOOT "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"

START_TEST(check_tells_what_is_missing_and_what_mends_it)
{
	directory = unit_directory();
	ck_assert_int_eq(check_it(), 1);
	says("/proc/cpuinfo can't be read");
	HOST_FILE("proc/cpuinfo", "flags\t: fpu lm pae\n");
	ck_assert_int_eq(check_it(), 1);
	says("NO   processor: no-execute");
	says("NO   processor: FSGSBASE");
	says("NO   processor: XSAVE");
	HOST_FILE("proc/cpuinfo", GOOD_CPU);
	ck_assert_int_eq(check_it(), 1);
	says("ok   processor: FSGSBASE");
	says("NO   module lg: not loaded for this kernel\n     make && sudo insmod lg.ko");
	ck_assert_ptr_null(strstr(out, "Secure Boot"));
	HOST_FILE("proc/version", "Linux version 6.1.0-57-rt-amd64 (gcc) #1 SMP PREEMPT_RT Debian\n");
	ck_assert_int_eq(check_it(), 1);
	says("NO   host: runs a real-time kernel");
	HOST_FILE("proc/version", "Linux version 6.1.0-57-amd64 (gcc) #1 SMP PREEMPT_DYNAMIC Debian\n");
	ck_assert_int_eq(check_it(), 1);
	ck_assert_ptr_null(strstr(out, "real-time"));
	HOST_FILE("sys/hypervisor/guest_type", "PV\n");
	ck_assert_int_eq(check_it(), 1);
	says("itself a Xen PV guest");
	HOST_FILE("sys/hypervisor/guest_type", "PVH\n");
	ck_assert_int_eq(check_it(), 1);
	ck_assert_ptr_null(strstr(out, "Xen"));
	HOST_FILE("proc/cpuinfo", "flags\t: lm nx fsgsbase xsave fred\n");
	ck_assert_int_eq(check_it(), 1);
	says("fred=off");
}
END_TEST

START_TEST(check_has_json)
{
	json_t *answer, *line;
	bool ok = true;

	directory = unit_directory();
	HOST_FILE("proc/cpuinfo", GOOD_CPU);
	check_json = true;
	ck_assert_int_eq(check_it(), 1);
	answer = json_loads(out, 0, NULL);
	ck_assert_ptr_nonnull(answer);
	ck_assert(json_is_false(json_object_get(answer, "ok")));
	line = json_array_get(json_object_get(answer, "checks"), 0);
	ck_assert_int_eq(json_unpack(line, "{s:b}", "ok", &ok), 0);
	ck_assert(ok);
	ck_assert_str_eq(json_string_value(json_object_get(line, "what")), "processor");
	ck_assert_ptr_null(json_object_get(line, "mend"));
	ck_assert_ptr_nonnull(strstr(out, "sudo insmod lg.ko"));
	json_decref(answer);
}
END_TEST

START_TEST(errors_have_json)
{
	set_up();
	setenv("XDG_RUNTIME_DIR", directory, 1);
	ck_assert_int_eq(lguest("kill nobody --json"), 1);
	ck_assert_str_eq(err, "");
	ck_assert_str_eq(out, "{\"error\":\"there is no guest 'nobody': 'lguest list' lists yours\"}\n");
	ck_assert_int_eq(lguest("--json wait nobody"), 1);
	ck_assert_ptr_nonnull(strstr(out, "{\"error\":\"there is no guest"));
	ck_assert_int_eq(lguest("stop nobody --bogus --json"), 2);
	ck_assert_str_eq(err, "");
	ck_assert_ptr_nonnull(strstr(out, "{\"error\":\"'--bogus' is not for lguest stop"));
	ck_assert_int_eq(lguest("--json console x"), 2);
	ck_assert_ptr_nonnull(strstr(out, "{\"error\":\"'lguest console' can't say it in JSON"));
	/* A name that is not UTF-8, which JSON can't have. */
	ck_assert_int_eq(lguest("kill --json \"$(printf '\\377')\""), 2);
	ck_assert_ptr_nonnull(strstr(out, "{\"error\":\""));
	ck_assert_str_eq(err, "");
}
END_TEST

START_TEST(check_sees_secure_boot)
{
	directory = unit_directory();
	HOST_FILE("proc/cpuinfo", GOOD_CPU);
	host_file(SECURE_BOOT, "\6\0\0\0\0", 5);
	ck_assert_int_eq(check_it(), 1);
	ck_assert_ptr_null(strstr(out, "signed modules"));
	host_file(SECURE_BOOT, "\6\0\0\0\1", 5);
	ck_assert_int_eq(check_it(), 1);
	says("takes only signed modules");
	HOST_FILE("sys/kernel/security/lockdown", "[none] integrity confidentiality\n");
	ck_assert_int_eq(check_it(), 1);
	ck_assert_ptr_null(strstr(out, "signed modules"));
	HOST_FILE("sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
	ck_assert_int_eq(check_it(), 1);
	says("takes only signed modules");
}
END_TEST

START_TEST(check_says_what_changes_while_a_guest_lives)
{
	directory = unit_directory();
	HOST_FILE("proc/cpuinfo", GOOD_CPU);
	HOST_FILE("sys/module/lg/refcnt", "0\n");
	HOST_FILE("dev/lguest", "");
	ck_assert_int_eq(check_it(), 1);	/* a regular file, not a device */
	says("ok   module lg: loaded");
	says("NO   /dev/lguest: does not answer");
	says("global pages are off (CR4.PGE) on the CPUs");
}
END_TEST

static void make_tree(uid_t owner)
{
	struct bytes elf = image_elf(5000, LGUEST_ABI_VERSION);
	FILE *file;

	directory = unit_directory();
	ck_assert_int_eq(chdir(directory), 0);
	ck_assert_int_eq(mkdir("arch", 0755) | mkdir("arch/x86", 0755) | mkdir("arch/x86/boot", 0755),
			 0);
	file = fopen("arch/x86/boot/bzImage", "w");
	ck_assert_uint_eq(fwrite(elf.at, 1, elf.size, file), elf.size);
	fclose(file);
	ck_assert_int_eq(chown("arch/x86/boot/bzImage", owner, owner), 0);
	image_free(elf);
}

/* "sudo lguest run --rw" in another user's directory must not run that user's kernel. */
START_TEST(kernel_of_another_user_is_not_taken)
{
	if (geteuid())
		return;		/* only root can make such a directory */
	unsetenv("LGUEST_KERNEL");
	unsetenv("SUDO_UID");
	make_tree(1234);
	lguest("run true");
	ck_assert_ptr_nonnull(strstr(err, "'arch/x86/boot/bzImage' is another user's, and not taken"));
	ck_assert_ptr_null(strstr(err, "the kernel is"));
	/* The owner of the kernel calls sudo. */
	setenv("SUDO_UID", "1234", 1);
	lguest("run true");
	ck_assert_ptr_nonnull(strstr(err, "the kernel is arch/x86/boot/bzImage, from the current"));
	unsetenv("SUDO_UID");
	make_tree(0);
	lguest("run true");
	ck_assert_ptr_nonnull(strstr(err, "the kernel is arch/x86/boot/bzImage, from the current"));
	/* A kernel that the person names is taken, whoever owns it. */
	make_tree(1234);
	lguest("run --kernel=arch/x86/boot/bzImage true");
	ck_assert_ptr_null(strstr(err, "bzImage"));
}
END_TEST

START_TEST(strange_caller_is_not_root)
{
	static const char * const strange[] = { "", "x", "-1", "4294967295", "1000x" };
	unsigned int i;

	if (geteuid())
		return;
	make_tree(0);
	for (i = 0; i < ARRAY_SIZE(strange); i++) {
		setenv("SUDO_UID", strange[i], 1);
		ck_assert_int_eq(lguest("run --user true"), 125);
		ck_assert_ptr_nonnull(strstr(err, "SUDO_UID or SUDO_GID is no number"));
	}
	unsetenv("SUDO_UID");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("command line");

	UNIT_ADD(suite, bad_input_gets_one_line_and_its_status);
	UNIT_ADD(suite, run_has_its_options_and_no_others);
	UNIT_ADD(suite, commands_are_told_from_amounts);
	UNIT_ADD(suite, every_command_has_help);
	UNIT_ADD(suite, help_and_version_go_to_standard_output);
	UNIT_ADD(suite, verbose_says_what_is_done);
	UNIT_ADD(suite, check_tells_what_is_missing_and_what_mends_it);
	UNIT_ADD(suite, check_has_json);
	UNIT_ADD(suite, errors_have_json);
	UNIT_ADD(suite, check_sees_secure_boot);
	UNIT_ADD(suite, check_says_what_changes_while_a_guest_lives);
	UNIT_ADD(suite, kernel_of_another_user_is_not_taken);
	UNIT_ADD(suite, strange_caller_is_not_root);
	return unit_run(suite);
}
