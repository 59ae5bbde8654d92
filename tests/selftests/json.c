// SPDX-License-Identifier: GPL-2.0-only
/*
 * json <FILE: is it one object of names and numbers, as RFC 8259 has it? Prints
 * "NAME NUMBER" for each, and ends with 1 where it is not.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static int next;	/* the character to look at, or EOF */

static void fail(const char *wanted)
{
	fprintf(stderr, "json: %s wanted, found character %d\n", wanted, next);
	exit(1);
}

static void advance(void)
{
	next = getchar();
}

static void space(void)
{
	while (next == ' ' || next == '\t' || next == '\n' || next == '\r')
		advance();
}

static void expect(int character, const char *name)
{
	space();
	if (next != character)
		fail(name);
	advance();
}

/* A string without escapes: the names need none. */
static void name(void)
{
	expect('"', "a name's quote");
	while (isalnum(next) || next == '_') {
		putchar(next);
		advance();
	}
	expect('"', "a name's end");
}

static void number(void)
{
	bool zero;

	space();
	zero = next == '0';
	if (!isdigit(next))
		fail("a number");
	do {
		putchar(next);
		advance();
	} while (isdigit(next) && !zero);
}

int main(void)
{
	advance();
	expect('{', "an object");
	for (;;) {
		name();
		expect(':', "a colon");
		putchar(' ');
		number();
		putchar('\n');
		space();
		if (next != ',')
			break;
		advance();
	}
	expect('}', "a comma or the object's end");
	space();
	if (next != EOF)
		fail("the end");
	return 0;
}
