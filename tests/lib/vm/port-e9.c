// SPDX-License-Identifier: GPL-2.0-only
/*
 * port-e9 COMMAND...: run COMMAND and write its output on descriptors 1 to 4 to I/O port
 * 0xe9, the only output of Bochs that needs no driver. Each piece is a line: '@', the
 * descriptor's digit, a blank, the bytes in hexadecimal. take_apart() in
 * tests/lib/bochs.sh splits the streams again.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/io.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FIRST = 1, LAST = 4, PIECE = 1024, PORT = 0xe9 };

static void put(char c)
{
	outb(c, PORT);
}

static void put_line(int stream, const unsigned char *bytes, ssize_t size)
{
	static const char hex[] = "0123456789abcdef";

	put('@');
	put('0' + stream);
	put(' ');
	for (ssize_t i = 0; i < size; i++) {
		put(hex[bytes[i] >> 4]);
		put(hex[bytes[i] & 15]);
	}
	put('\n');
}

int main(int argc, char **argv)
{
	struct pollfd streams[LAST + 1];
	int ends[LAST + 1][2];
	int open_streams = 0;
	int gone = 0;
	pid_t child;
	unsigned char piece[PIECE];

	if (argc < 2 || ioperm(PORT, 1, 1))
		return 1;
	for (int i = FIRST; i <= LAST; i++)
		if (pipe(ends[i]))
			return 1;
	put('\n');		/* the firmware may have left a line open */

	child = fork();
	if (child == 0) {
		/* A pipe may lie on 1 to LAST: move all of them to 21 and above first. */
		for (int i = FIRST; i <= LAST; i++)
			ends[i][1] = dup2(ends[i][1], 20 + i);
		for (int i = FIRST; i <= LAST; i++)
			dup2(ends[i][1], i);
		for (int fd = LAST + 1; fd < 30; fd++)
			close(fd);
		execv(argv[1], argv + 1);
		_exit(127);
	}
	for (int i = FIRST; i <= LAST; i++) {
		close(ends[i][1]);
		streams[i] = (struct pollfd){ .fd = ends[i][0], .events = POLLIN };
		open_streams++;
	}
	while (open_streams) {
		/*
		 * A process that COMMAND left behind may keep the pipes open: so end when
		 * COMMAND has ended and nothing more comes.
		 */
		if (poll(streams + FIRST, LAST, 50) == 0) {
			if (gone)
				break;
			gone = waitpid(child, NULL, WNOHANG) == child;
			continue;
		}
		for (int i = FIRST; i <= LAST; i++) {
			ssize_t size;

			if (streams[i].fd < 0 || !streams[i].revents)
				continue;
			size = read(streams[i].fd, piece, PIECE);
			if (size > 0) {
				put_line(i, piece, size);
			} else {
				streams[i].fd = -1;
				open_streams--;
			}
		}
	}
	return 0;
}
