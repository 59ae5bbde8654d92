// SPDX-License-Identifier: GPL-2.0-only
/*
 * The launcher's command line, and the guest kernel's command line made from it.
 */
#include <stdlib.h>
#include <string.h>

#include "option/amount.h"
#include "boot/plan.h"
#include "base/compiler.h"
#include "option/config.h"
#include "option/rows.h"
#include "option/options.h"
#include "unit.h"
#include "base/value.h"
#include "virtio/virtio.h"
#include "base/words.h"

static struct options options;

/* Parse words; the program's name is added. */
#define PARSE(...) parse((char *[]){ "lguest", __VA_ARGS__, NULL })

/* The options refer to the words, which must outlive the call. */
static int parse(char **words)
{
	static char *argv[32];
	int argc;

	memset(argv, 0, sizeof(argv));
	for (argc = 0; words[argc]; argc++)
		argv[argc] = words[argc];
	return options_parse(&options, argc, argv);
}

START_TEST(memory_sizes_are_understood)
{
	static const struct { const char *text; uint64_t size; } good[] = {
		{ "64m", 64ULL << 20 }, { "64", 64ULL << 20 }, { "64M", 64ULL << 20 },
		{ "65536k", 64ULL << 20 }, { "3g", 3ULL << 30 }, { "3G", 3ULL << 30 },
		{ "4k", 4096 }, { "5k", 4096 }, { "1025K", 1024 * 1024 },
		{ "0064m", 64ULL << 20 }, { "17179869183g", 17179869183ULL << 30 },
	};
	uint64_t size;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		ck_assert_int_eq(amount_memory(good[i].text, &size), 0);
		ck_assert_uint_eq(size, good[i].size);
	}
}
END_TEST

START_TEST(what_is_no_memory_size_is_refused)
{
	static const struct { const char *text, *words; } bad[] = {
		{ "", "not an amount" }, { "m", "not an amount" }, { "64x", "not an amount" },
		{ "64mb", "not an amount" }, { "-64m", "not an amount" }, { "+64", "not an amount" },
		{ " 64", "not an amount" }, { "64 ", "not an amount" }, { "0x40", "not an amount" },
		{ "1.5g", "not an amount" }, { "bzImage", "not an amount" },
		{ "0", "too small" }, { "0g", "too small" }, { "1k", "too small" },
		{ "17179869184g", "more memory than" }, { "18446744073709551615", "more memory than" },
		{ "18446744073709551616", "more memory than" },
		{ "99999999999999999999999999999999", "more memory than" },
	};
	uint64_t size;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		unit_refused(amount_memory(bad[i].text, &size), bad[i].words);
}
END_TEST

START_TEST(numbers_of_cpus_are_understood)
{
	ck_assert_int_eq(PARSE("64m", "bz"), 0);
	ck_assert_uint_eq(options.cpus, 1);
	ck_assert_int_eq(PARSE("--cpus=1", "64m", "bz"), 0);
	ck_assert_uint_eq(options.cpus, 1);
	ck_assert_int_eq(PARSE("--cpus", "16", "64m", "bz"), 0);
	ck_assert_uint_eq(options.cpus, 16);
	ck_assert_int_eq(PARSE("--cpus=04", "64m", "bz", "--cpus=7"), 0);
	ck_assert_uint_eq(options.cpus, 4);
	ck_assert_int_eq(PARSE("--cpus=2", "--cpus=3", "64m", "bz"), 0);
	ck_assert_uint_eq(options.cpus, 3);
}
END_TEST

START_TEST(what_is_no_number_of_cpus_is_refused)
{
	static const char * const bad[] = {
		"", "0", "00", "17", "016x", "x", "-1", "+2", " 2", "2 ", "2.0", "0x2", "1,2", "160",
		"4294967297", "18446744073709551617", "99999999999999999999999999999999",
	};
	unsigned int cpus = 5;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		unit_refused(amount_cpus(bad[i], &cpus), "is not a number of CPUs");
		ck_assert_uint_eq(cpus, 5);
	}
	unit_refused(PARSE("--cpus=0", "64m", "bz"), "say 1 to 16");
	unit_refused(PARSE("--cpus"), "needs a value: --cpus=N");
	/* The word after the option is its value. */
	unit_refused(PARSE("--cpus", "64m", "bz"), "'64m' is not a number of CPUs");
}
END_TEST

START_TEST(shadow_is_an_amount_of_memory)
{
	ck_assert_int_eq(PARSE("64m", "bz"), 0);
	ck_assert_uint_eq(options.shadow, 0);
	ck_assert(!options.merge);
	ck_assert_int_eq(PARSE("--shadow=768k", "--merge", "64m", "bz"), 0);
	ck_assert_uint_eq(options.shadow, 768 << 10);
	ck_assert(options.merge);
	unit_refused(PARSE("--shadow=767k", "64m", "bz"), "too little for the shadow page tables");
	unit_refused(PARSE("--shadow=much", "64m", "bz"), "is not an amount of memory");
	unit_refused(PARSE("--shadow"), "needs a value: --shadow=SIZE");
}
END_TEST

START_TEST(options_end_at_memory)
{
	ck_assert_int_eq(PARSE("--initrd=i", "--verbose", "--stats", "64m", "bz", "--verbose", "-x",
			       "root=/dev/vda", "--", "init"), 0);
	ck_assert_int_eq(options.action, OPTIONS_RUN);
	ck_assert(options.verbose && options.stats);
	ck_assert_str_eq(options.initrd, "i");
	ck_assert_str_eq(options.kernel, "bz");
	ck_assert_uint_eq(options.memory, 64 << 20);
	ck_assert_str_eq(options.arguments[0], "--verbose");
	ck_assert_str_eq(options.arguments[4], "init");
	ck_assert_ptr_null(options.arguments[5]);
	ck_assert_int_eq(PARSE("64m", "bz", "--help"), 0);
	ck_assert_int_eq(options.action, OPTIONS_RUN);
	ck_assert(!options.verbose && !options.initrd);
}
END_TEST

START_TEST(only_whole_names_are_right)
{
	unit_refused(PARSE("--verb", "64m", "bz"), "did you mean --verbose?");
	unit_refused(PARSE("--verb=1", "64m", "bz"), "did you mean --verbose?");
	unit_refused(PARSE("--cpu"), "unknown option '--cpu': did you mean --cpus?");
	unit_refused(PARSE("--cpu", "2", "64m", "bz"), "unknown option '--cpu'");
	unit_refused(PARSE("--ver"), "unknown option '--ver'");	/* two options begin like this */
	unit_refused(PARSE("--=x", "64m", "bz"), "unknown option '--=x'");
	ck_assert_int_eq(PARSE("-v", "64m", "bz"), 0);
	ck_assert(options.verbose);
	ck_assert_int_eq(PARSE("--", "64m", "bz"), 0);
	unit_refused(PARSE("--verbose", "--", "--cpus=2", "bz"), "not an amount");
}
END_TEST

START_TEST(a_value_is_not_taken_for_the_memory)
{
	unit_refused(PARSE("--name", "64m", "bz"), "'64m' was taken as the value of --name: say --name=NAME");
	unit_refused(PARSE("--net", "64m"), "'64m' was taken as the value of --net");
	unit_refused(PARSE("--name=64m", "bz"), "'bz' is not an amount");
	unit_refused(PARSE("--name", "64m", "--", "bz"), "'bz' is not an amount");
	ck_assert_int_eq(PARSE("--name", "64m", "64m", "bz"), 0);
	ck_assert_str_eq(options.name, "64m");
}
END_TEST

START_TEST(run_and_start_share_a_table)
{
	static char *words[] = {
		"run", "--cpus=2", "--rw", "--timeout", "5", "--memory=64m", "--block=a", "--", "--rw",
		"-x", NULL,
	};
	static char *bad[] = { "run", "--initrd=x", "true", NULL };

	ck_assert_int_eq(options_read(&options, ARRAY_SIZE(words) - 1, words, OF_RUN), 0);
	ck_assert_uint_eq(options.cpus, 2);
	ck_assert_uint_eq(options.timeout, 5);
	ck_assert_uint_eq(options.memory, 64 << 20);
	ck_assert_uint_eq(options.devices, 1);
	ck_assert(options.writable && !options.as_user);
	ck_assert_str_eq(options.words[0], "--rw");
	ck_assert_str_eq(options.words[1], "-x");
	ck_assert_ptr_null(options.words[2]);
	unit_refused(options_read(&options, 3, bad, OF_RUN), "--initrd does not go with");
	unit_refused(PARSE("--rw", "64m", "bz"), "--rw is for 'lguest run'");
}
END_TEST

START_TEST(words_that_were_meant_are_near)
{
	ck_assert_uint_eq(words_distance("lst", 3, "list"), 1);
	ck_assert_uint_eq(words_distance("lits", 4, "list"), 2);
	ck_assert_uint_eq(words_distance("verb", 4, "verbose"), 1);
	ck_assert_uint_eq(words_distance("list", 4, "list"), 1);
	ck_assert_uint_eq(words_distance("", 0, "list"), WORDS_FAR);
	ck_assert_uint_eq(words_distance("x", 1, "rw"), WORDS_FAR);
	ck_assert_uint_eq(words_distance("nonsense", 8, "version"), WORDS_FAR);
	ck_assert_uint_eq(words_distance("a-very-long-name-that-nobody-can-mean", 37, "a"), WORDS_FAR);
}
END_TEST

START_TEST(devices_are_kept_in_order)
{
	ck_assert_int_eq(PARSE("--block=a", "--block", "b,ro", "64", "bz"), 0);
	ck_assert_uint_eq(options.devices, 2);
	ck_assert_ptr_eq(options.device[0].kind, &virtio_block_kind);
	ck_assert_str_eq(options.device[0].value, "a");
	ck_assert_str_eq(options.device[1].value, "b,ro");
	unit_refused(PARSE("--block"), "needs a value: --block=FILE");
}
END_TEST

START_TEST(too_many_devices_are_refused)
{
	static char *words[OPTIONS_MAX_DEVICES + 5] = { "lguest" };
	unsigned int i;

	for (i = 1; i <= OPTIONS_MAX_DEVICES; i++)
		words[i] = "--block=a";
	words[i] = "64";
	words[i + 1] = "bz";
	ck_assert_int_eq(parse(words), 0);
	words[i] = "--block=a";
	unit_refused(parse(words), "too many devices");
}
END_TEST

static int parse_value(struct value *value, const char *text)
{
	return value_parse(value, "block", "FILE", text);
}

START_TEST(values_are_taken_apart)
{
	struct value value;

	ck_assert_int_eq(parse_value(&value, "a,,b,ro,serial=x,,y,empty=,serial=z"), 0);
	ck_assert_str_eq(value.first, "a,b");
	ck_assert(value_flag(&value, "ro"));
	ck_assert(!value_flag(&value, "serial"));
	ck_assert_str_eq(value_get(&value, "serial"), "z");
	ck_assert_str_eq(value.word[1], "serial=x,y");
	ck_assert_str_eq(value_get(&value, "empty"), "");
	ck_assert_ptr_null(value_get(&value, "ser"));
	ck_assert_int_eq(value_refuse_others(&value, "block", "ro", "serial=", "empty=", NULL), 0);
	unit_refused(value_refuse_others(&value, "block", "ro", "serial=", NULL),
		     "does not know 'empty='");
	unit_refused(value_refuse_others(&value, "block", "ro", "serial", "empty=", NULL),
		     "does not know 'serial=x,y'");
	value_free(&value);
	ck_assert_int_eq(parse_value(&value, "a,"), 0);
	ck_assert_uint_eq(value.words, 1);
	ck_assert_str_eq(value.word[0], "");
	value_free(&value);
}
END_TEST

START_TEST(values_of_nothing_are_refused)
{
	struct value value;

	unit_refused(parse_value(&value, ""), "--block needs a value: --block=FILE");
	value_free(&value);
	unit_refused(parse_value(&value, ",ro"), "--block needs a value");
	value_free(&value);
	unit_refused(parse_value(&value, "f,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17"),
		     "too many words");
	value_free(&value);
}
END_TEST

START_TEST(questions_need_no_kernel)
{
	ck_assert_int_eq(PARSE("--help"), 0);
	ck_assert_int_eq(options.action, OPTIONS_HELP);
	ck_assert_int_eq(PARSE("--version"), 0);
	ck_assert_int_eq(options.action, OPTIONS_VERSION);
	ck_assert_int_eq(PARSE("--check"), 0);
	ck_assert_int_eq(options.action, OPTIONS_CHECK);
}
END_TEST

START_TEST(options_may_stand_behind_memory)
{
	ck_assert_int_eq(PARSE("--cpus=2", "64m", "--block=a", "-v", "bz", "--quiet"), 0);
	ck_assert_uint_eq(options.memory, 64ULL << 20);
	ck_assert_uint_eq(options.cpus, 2);
	ck_assert_uint_eq(options.devices, 1);
	ck_assert(options.verbose);
	ck_assert_str_eq(options.kernel, "bz");
	ck_assert_str_eq(options.arguments[0], "--quiet");
	ck_assert_ptr_null(options.arguments[1]);
	ck_assert_int_eq(PARSE("64m", "--", "bz"), 0);
	ck_assert_str_eq(options.kernel, "bz");
	ck_assert_int_eq(PARSE("64m", "--help"), 0);
	ck_assert_int_eq(options.action, OPTIONS_HELP);
	unit_refused(PARSE("64m", "--nonsense", "bz"), "unknown option '--nonsense'");
	unit_refused(PARSE("64m", "--initrd", "bz"), "which kernel");
}
END_TEST

START_TEST(without_a_kernel_the_first_disk_has_it)
{
	ck_assert_int_eq(PARSE("--block=a,ro", "--block=b", "64m"), 0);
	ck_assert(options.from_disk);
	ck_assert_str_eq(options.kernel, "a,ro");
	ck_assert_ptr_null(options.arguments[0]);
	ck_assert_int_eq(PARSE("64m", "--block=a", "--append=quiet"), 0);
	ck_assert(options.from_disk);
	ck_assert_str_eq(options.append, "quiet");
	ck_assert_int_eq(PARSE("--block=a", "64m", "bz"), 0);
	ck_assert(!options.from_disk);
	unit_refused(PARSE("64m", "--net=user"), "or a disk that has one: --block=FILE");
	unit_refused(PARSE("64m", "--block=vhost-user:s"), "another program's, and can't be looked into");
	unit_refused(PARSE("64m", "--block=a", "--initrd=b"), "--initrd goes with a KERNEL");
	unit_refused(PARSE("--append=quiet", "64m", "bz"), "put 'quiet' behind the kernel 'bz'");
}
END_TEST

START_TEST(bad_command_lines_are_refused)
{
	unit_refused(parse((char *[]){ "lguest", NULL }), "how much memory");
	unit_refused(PARSE("64m"), "which kernel");
	unit_refused(PARSE("bzImage", "64m"), "not an amount");
	unit_refused(PARSE("--nonsense", "64m", "bz"), "unknown option '--nonsense'");
	unit_refused(PARSE("--nonsense=1", "64m", "bz"), "unknown option '--nonsense=1'");
	unit_refused(PARSE("-q", "64m", "bz"), "unknown option '-q'");
	unit_refused(PARSE("--verbose=1", "64m", "bz"), "takes no value");
	unit_refused(PARSE("--initrd"), "needs a value");
	unit_refused(PARSE("--verbose", "--nope"), "unknown option '--nope'");
}
END_TEST

static void command_line_is(const char *expected)
{
	char *line = boot_plan_command_line(&options, "DEVICES");

	ck_assert_str_eq(line, expected);
	free(line);
}

START_TEST(kernel_arguments_follow_ours)
{
	ck_assert_int_eq(PARSE("64m", "bz"), 0);
	command_line_is("console=hvc0 DEVICES");
	ck_assert_int_eq(PARSE("64m", "bz", "root=/dev/vda", "rw", "--", "-s"), 0);
	command_line_is("console=hvc0 DEVICES root=/dev/vda rw -- -s");
	ck_assert_int_eq(PARSE("64m", "bz", "quiet", "console=ttyS0"), 0);
	command_line_is("DEVICES quiet console=ttyS0");
	ck_assert_int_eq(PARSE("64m", "bz", "quiet console=tty0"), 0);
	command_line_is("DEVICES quiet console=tty0");
	ck_assert_int_eq(PARSE("64m", "bz", "netconsole=x", "--", "console=1"), 0);
	command_line_is("console=hvc0 DEVICES netconsole=x -- console=1");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("options");

	UNIT_ADD(suite, memory_sizes_are_understood);
	UNIT_ADD(suite, what_is_no_memory_size_is_refused);
	UNIT_ADD(suite, numbers_of_cpus_are_understood);
	UNIT_ADD(suite, what_is_no_number_of_cpus_is_refused);
	UNIT_ADD(suite, shadow_is_an_amount_of_memory);
	UNIT_ADD(suite, options_end_at_memory);
	UNIT_ADD(suite, only_whole_names_are_right);
	UNIT_ADD(suite, a_value_is_not_taken_for_the_memory);
	UNIT_ADD(suite, run_and_start_share_a_table);
	UNIT_ADD(suite, words_that_were_meant_are_near);
	UNIT_ADD(suite, devices_are_kept_in_order);
	UNIT_ADD(suite, too_many_devices_are_refused);
	UNIT_ADD(suite, values_are_taken_apart);
	UNIT_ADD(suite, values_of_nothing_are_refused);
	UNIT_ADD(suite, questions_need_no_kernel);
	UNIT_ADD(suite, options_may_stand_behind_memory);
	UNIT_ADD(suite, without_a_kernel_the_first_disk_has_it);
	UNIT_ADD(suite, bad_command_lines_are_refused);
	UNIT_ADD(suite, kernel_arguments_follow_ours);
	return unit_run(suite);
}
