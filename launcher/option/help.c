// SPDX-License-Identifier: GPL-2.0-only
/*
 * What --help says of options.
 */
#include <stdio.h>
#include <string.h>

#include "option/help.h"
#include "option/rows.h"

/* Where the text of an option begins. */
#define COLUMN	21

/* Print the lines of one option: its text stands in a column of its own. */
static void print_option(unsigned int number)
{
	const char *line = option_text(number), *value = option_value(number);
	int used, length;

	used = printf("  --%s%s%s", option_name(number), value ? "=" : "", value ? value : "");
	if (option_letter(number))
		used += printf(", -%c", option_letter(number));
	for (;;) {
		if (used >= COLUMN)
			used = printf("\n") - 1;
		length = strcspn(line, "\n");
		printf("%*s%.*s\n", COLUMN - used, "", length, line);
		used = 0;
		if (!line[length])
			return;
		line += length + 1;
	}
}

/**
 * option_help_devices() - print the options that ask for devices
 */
void option_help_devices(void)
{
	unsigned int i;

	for (i = 0; i < option_count(); i++)
		if (option_is_device(i))
			print_option(i);
}

/**
 * option_help() - print all other options
 * @whose: of OF_START or OF_RUN
 */
void option_help(unsigned int whose)
{
	unsigned int i;

	for (i = 0; i < option_count(); i++)
		if (!option_is_device(i) && option_is_of(i, whose))
			print_option(i);
}
