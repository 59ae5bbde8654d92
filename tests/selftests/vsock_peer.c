// SPDX-License-Identifier: GPL-2.0-only
/*
 * vsock_peer listen PORT [echo]; vsock_peer connect CID PORT [echo]; vsock_peer serve PATH
 * One connection between guest and host: standard input goes there, and what comes goes
 * to standard output, up to the end of both. With "echo" all that comes goes back. "serve"
 * has one connection by a Unix socket, and sends nothing.
 */
#include <linux/vm_sockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void copy(int from, int to)
{
	char data[65536];
	ssize_t got, done, put;

	while ((got = read(from, data, sizeof(data))) > 0)
		for (done = 0; done < got; done += put) {
			put = write(to, data + done, got - done);
			if (put < 0)
				fail("write");
		}
	if (got < 0)
		fail("read");
}

static int open_socket(int argc, char **argv)
{
	struct sockaddr_vm address = { .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_ANY };
	int fd = socket(AF_VSOCK, SOCK_STREAM, 0), connection;

	if (fd < 0)
		fail("socket");
	if (argc > 3 && !strcmp(argv[1], "connect")) {
		address.svm_cid = strtoul(argv[2], NULL, 10);
		address.svm_port = strtoul(argv[3], NULL, 10);
		if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
			fail("connect");
		return fd;
	}
	address.svm_port = strtoul(argv[2], NULL, 10);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 1) < 0)
		fail("listen");
	connection = accept(fd, NULL, NULL);
	if (connection < 0)
		fail("accept");
	close(fd);
	return connection;
}

/* One connection, and no name after that. */
static int serve(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), connection;

	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 1) < 0)
		fail("listen");
	connection = accept(fd, NULL, NULL);
	if (connection < 0)
		fail("accept");
	close(fd);
	unlink(path);
	copy(connection, STDOUT_FILENO);
	return 0;
}

int main(int argc, char **argv)
{
	int fd, status = 0;
	pid_t sender;

	if (argc < 3)
		return 2;
	if (!strcmp(argv[1], "serve"))
		return serve(argv[2]);
	fd = open_socket(argc, argv);
	if (!strcmp(argv[argc - 1], "echo")) {
		copy(fd, fd);
		return 0;
	}
	sender = fork();
	if (!sender) {
		copy(STDIN_FILENO, fd);
		shutdown(fd, SHUT_WR);
		return 0;
	}
	copy(fd, STDOUT_FILENO);
	waitpid(sender, &status, 0);
	return status ? 1 : 0;
}
