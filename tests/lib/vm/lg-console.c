// SPDX-License-Identifier: GPL-2.0-only
/*
 * lg-console STATUS-FILE LOG-FILE: split the console output of a test guest.
 *
 * guest-init prints a mark before and after the output of its command. Each mark begins
 * with a record separator:
 *
 *   <0x1e>lg-begin\n  ...output, any bytes...  <0x1e>lg-status N\n
 *
 * The output goes to stdout as it comes, N to STATUS-FILE, everything else to LOG-FILE.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum state { BEFORE, OUTPUT, AFTER };

static const char *const mark[] = {
	[BEFORE] = "\036lg-begin",
	[OUTPUT] = "\036lg-status ",
};

static const char *status_file;

static void write_status(const char *digits)
{
	FILE *file = fopen(status_file, "w");

	if (file) {
		fprintf(file, "%d\n", atoi(digits));
		fclose(file);
	}
}

int main(int argc, char **argv)
{
	enum state state = BEFORE;
	size_t matched = 0;		/* bytes of mark[state] seen so far */
	char number[16];		/* what follows the mark, up to its newline */
	size_t digits = 0;
	FILE *log;
	int in_tail = 0;		/* between the mark and its newline */
	char buffer[65536];
	ssize_t size;

	if (argc != 3)
		return 2;
	status_file = argv[1];
	log = fopen(argv[2], "a");
	if (!log)
		log = stderr;

	while ((size = read(STDIN_FILENO, buffer, sizeof(buffer))) > 0) {
		for (ssize_t i = 0; i < size; i++) {
			int c = (unsigned char)buffer[i];
			FILE *sink = state == OUTPUT ? stdout : log;

			if (in_tail) {
				if (c != '\n') {
					if (digits < sizeof(number) - 1 && c != '\r')
						number[digits++] = c;
					continue;
				}
				number[digits] = '\0';
				if (state == OUTPUT)
					write_status(number);
				state++;
				in_tail = 0;
				matched = digits = 0;
				continue;
			}
			if (state == AFTER) {
				putc(c, sink);
				continue;
			}
			if (c != mark[state][matched]) {
				fwrite(mark[state], 1, matched, sink);
				matched = 0;
			}
			if (c == mark[state][matched])
				matched++;
			else
				putc(c, sink);
			in_tail = mark[state][matched] == '\0';
		}
		fflush(stdout);
		fflush(log);
	}
	/* The beginning of a mark that was never completed is plain output. */
	if (state != AFTER && !in_tail)
		fwrite(mark[state], 1, matched, state == OUTPUT ? stdout : log);
	return 0;
}
