// SPDX-License-Identifier: GPL-2.0-only
/*
 * The one table of options: for starting a guest, and for "lguest run". The options of devices
 * are in virtio/kinds.c. They are numbered after those of this table, and belong to both.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "option/amount.h"
#include "base/compiler.h"
#include "option/config.h"
#include "lguest_uapi.h"
#include "memory.h"
#include "base/message.h"
#include "base/number.h"
#include "option/rows.h"
#include "control/runtime.h"
#include "virtio/virtio.h"
#include "base/words.h"

struct option_row {
	unsigned int whose;	/* OF_START, OF_RUN */
	const char *name;
	const char *value;	/* how its value is written; NULL: it takes none */
	const char *help;
	char letter;		/* as in -h, or 0 */
	bool general;		/* may stand before any command */
	/* What is done with the value; or, if this is NULL: */
	int (*use)(struct options *options, const char *value);
	enum options_action action;	/* what is to be done; or, if this is 0: */
	size_t member;			/* what is set in struct options: a bool, */
	bool text;			/* or, if this is true, a text: the value */
};

#define FLAG(name)	.member = offsetof(struct options, name)
#define TEXT(name)	.member = offsetof(struct options, name), .text = true
#define OF_BOTH		(OF_START | OF_RUN)

static int use_memory(struct options *options, const char *value)
{
	return amount_memory(value, &options->memory);
}

static int use_cpus(struct options *options, const char *value)
{
	return amount_cpus(value, &options->cpus);
}

static int use_name(struct options *options, const char *value)
{
	options->name = value;
	return runtime_check_name(value);
}

static int use_timeout(struct options *options, const char *value)
{
	return amount_seconds(value, &options->timeout);
}

static int use_panic_status(struct options *options, const char *value)
{
	uint64_t status;

	if (!number_parse(value, 0, 255, &status))
		return misused("'%s' is no exit status: say 0 to 255", value);
	options->panic_status = status;
	return 0;
}

static int use_shadow(struct options *options, const char *value)
{
	int error = amount_bytes(value, &options->shadow);

	if (!error && options->shadow < LGUEST_MIN_SHADOW * LGUEST_SHADOW_BYTES)
		return misused("'%s' is too little for the shadow page tables: say 1m or more",
			       value);
	return error;
}

static int use_sandbox(struct options *options, const char *value)
{
	options->no_sandbox = !strcmp(value, "off");
	if (!options->no_sandbox && strcmp(value, "on"))
		return misused("--sandbox is on or off, not '%s'", value);
	return 0;
}

static int use_abi(struct options *options, const char *value)
{
	if (!strcmp(value, "lguest"))
		options->abi = ABI_LGUEST;
	else if (!strcmp(value, "xen"))
		options->abi = ABI_XEN;
	else
		return misused("--abi is lguest or xen, not '%s'", value);
	return 0;
}

static const struct option_row rows[] = {
	{ OF_RUN, "kernel", "FILE", "a bzImage or vmlinux (default: $LGUEST_KERNEL, else\n"
				    "arch/x86/boot/bzImage, else this host's if it has 9p,\n"
				    "else lguest's own, which is also --kernel=lguest)", TEXT(kernel) },
	{ OF_RUN, "memory", "SIZE", "the guest's memory (512m)", .use = use_memory },
	{ OF_RUN, "rw", NULL, "what it writes stays; without this, it is gone at the end",
	  FLAG(writable) },
	{ OF_RUN, "user", NULL, "not as root but as you (after sudo: as who called it)",
	  FLAG(as_user) },
	{ OF_RUN, "timeout", "S", "end it after so many seconds, with status 124",
	  .use = use_timeout },
	{ OF_RUN, "panic-status", "N", "the status after a panic (255)", .use = use_panic_status },
	{ OF_BOTH, "append", "TEXT", "more arguments for a kernel that 'run' or a disk has",
	  TEXT(append) },
	{ OF_START, "initrd", "FILE", "the guest's initial file system (default: initrd.img beside\n"
				      "KERNEL, if it is there and no root= is given)",
	  TEXT(initrd) },
	{ OF_BOTH, "cpus", "N", "how many CPUs the guest has: 1 (the default) to 16",
	  .use = use_cpus },
	{ OF_BOTH, "name", "NAME", "what the guest is called in other commands (default: lguest-PID)",
	  .use = use_name },
	{ OF_START, "detach", NULL, "go on without this terminal, and say the guest's name",
	  FLAG(detach) },
	{ OF_START, "console", "FILE", "with --detach: what the guest prints goes there, too",
	  TEXT(console) },
	{ OF_BOTH, "report-free", NULL, "the guest gives the host back what memory it does not use",
	  FLAG(report_free) },
	{ OF_BOTH, "merge", NULL, "the host may merge pages that are the same (KSM)", FLAG(merge) },
	{ OF_BOTH, "shadow", "SIZE", "memory of the host's, at most, for shadow page tables",
	  .use = use_shadow },
	{ OF_BOTH, "abi", "lguest|xen", "how the guest's kernel speaks to the host (default: as it can;\n"
					"lguest if both)", .use = use_abi },
	{ OF_BOTH, "sandbox", "on|off", "give up what the guest does not need; off: to find out whether\n"
					"that is what stands in the way", .use = use_sandbox },
	{ OF_BOTH, "stats", NULL, "at the end, say what the guest made the host do", FLAG(stats) },
	{ OF_BOTH, "verbose", NULL, "say what is being done, and let 'run' show what the guest's\n"
				    "kernel says", FLAG(verbose), .letter = 'v', .general = true },
	{ OF_START, "json", NULL, "with a command, --check or --version: say it in JSON",
	  FLAG(json), .general = true },
	{ OF_START, "check", NULL, "say whether this host can run guests, and what it lacks",
	  .action = OPTIONS_CHECK },
	{ OF_BOTH, "help", NULL, "this text", .letter = 'h', .action = OPTIONS_HELP },
	{ OF_START, "version", NULL, "the versions of this program and of its interfaces",
	  .letter = 'V', .action = OPTIONS_VERSION },
};

/**
 * option_is_device() - does it ask for a device?
 * @number: of the option
 */
bool option_is_device(unsigned int number)
{
	return number >= ARRAY_SIZE(rows);
}

static const struct virtio_kind *kind_of(unsigned int number)
{
	return virtio_kinds[number - ARRAY_SIZE(rows)];
}

/**
 * option_count() - how many options there are
 *
 * Return: options are numbered from 0 to one less.
 */
unsigned int option_count(void)
{
	return ARRAY_SIZE(rows) + virtio_nr_kinds;
}

/**
 * option_is_of() - does an option belong to a command line?
 * @number: of the option
 * @whose: OF_START or OF_RUN
 */
bool option_is_of(unsigned int number, unsigned int whose)
{
	return option_is_device(number) || rows[number].whose & whose;
}

/**
 * option_is_general() - may it stand before any command?
 * @number: of the option
 */
bool option_is_general(unsigned int number)
{
	return !option_is_device(number) && rows[number].general;
}

/**
 * option_name() - what follows "--"
 * @number: of the option
 */
const char *option_name(unsigned int number)
{
	return option_is_device(number) ? kind_of(number)->option : rows[number].name;
}

/**
 * option_letter() - what follows "-"
 * @number: of the option
 *
 * Return: a letter, or 0 if it has none.
 */
char option_letter(unsigned int number)
{
	return option_is_device(number) ? 0 : rows[number].letter;
}

/**
 * option_value() - how its value is written
 * @number: of the option
 *
 * Return: NULL if it takes none.
 */
const char *option_value(unsigned int number)
{
	return option_is_device(number) ? kind_of(number)->value : rows[number].value;
}

/**
 * option_text() - what --help says of it
 * @number: of the option
 *
 * Return: lines, the last one without a newline.
 */
const char *option_text(unsigned int number)
{
	return option_is_device(number) ? kind_of(number)->help : rows[number].help;
}

/**
 * option_find() - which option is called so?
 * @name: its name, without "--"
 * @length: of the name in @name
 *
 * Return: its number, or -1.
 */
int option_find(const char *name, int length)
{
	unsigned int i;

	for (i = 0; i < option_count(); i++)
		if (!strncmp(option_name(i), name, length) && !option_name(i)[length])
			return i;
	return -1;
}

/**
 * option_nearest() - which option may the person have meant?
 * @name: what was said, without "--"
 * @length: of @name
 * @whose: OF_START or OF_RUN
 *
 * Return: its number, or -1.
 */
int option_nearest(const char *name, int length, unsigned int whose)
{
	unsigned int i, best = WORDS_FAR, distance;
	int nearest = -1;

	for (i = 0; i < option_count(); i++) {
		distance = option_is_of(i, whose) ? words_distance(name, length, option_name(i)) :
						    WORDS_FAR;
		if (distance < best) {
			best = distance;
			nearest = i;
		}
	}
	return nearest;
}

static int add_device(struct options *options, const struct virtio_kind *kind,
		      const char *value)
{
	if (options->devices == OPTIONS_MAX_DEVICES)
		return misused("too many devices: %d is the most", OPTIONS_MAX_DEVICES);
	options->device[options->devices++] = (struct options_device) {
		.kind = kind,
		.value = value,
	};
	return 0;
}

/**
 * option_use() - do what an option says
 * @options: changed
 * @number: of the option
 * @value: its value, if it has one; @options may refer to it
 *
 * Return: 0, or a negative errno after telling the person.
 */
int option_use(struct options *options, unsigned int number, const char *value)
{
	const struct option_row *row;

	if (option_is_device(number))
		return add_device(options, kind_of(number), value);
	row = &rows[number];
	if (row->use)
		return row->use(options, value);
	if (row->action)
		options->action = row->action;
	else if (row->text)
		*(const char **)((char *)options + row->member) = value;
	else
		*(bool *)((char *)options + row->member) = true;
	return 0;
}
