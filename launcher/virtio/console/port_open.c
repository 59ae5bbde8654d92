// SPDX-License-Identifier: GPL-2.0-only
/* What is behind a named port: a socket or files of the host. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/message.h"
#include "base/number.h"
#include "base/unix_socket.h"
#include "base/value.h"
#include "virtio/console/console.h"

static int connect_to(struct port *port, const char *path)
{
	int fd = unix_connect(path, SOCK_STREAM);

	if (fd == -ENAMETOOLONG)
		return refuse(fd, "the socket's name '%s' is too long", path);
	if (fd < 0)
		return refuse(fd, "can't connect the port '%s' to the socket '%s': %s", port->name,
			      path, strerror(-fd));
	port->in = port->out = fd;
	return 0;
}

/* A socket serves both ways; anything else is written to. */
static int open_output(struct port *port, const char *path)
{
	struct stat status;

	if (!stat(path, &status) && S_ISSOCK(status.st_mode))
		return connect_to(port, path);
	/*
	 * O_RDWR: a pipe is opened at once, even if nobody reads it yet. O_NONBLOCK: a terminal
	 * may take less than we have.
	 */
	port->out = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0666);
	if (port->out < 0)
		return refuse(-errno, "can't open '%s' for the port '%s': %s", path, port->name,
			      strerror(errno));
	return 0;
}

static int open_input(struct port *port, const char *path)
{
	if (port->in >= 0)
		return misused("the port '%s' has a socket: in= is for files", port->name);
	/*
	 * O_NONBLOCK: a pipe without a writer has not ended, and open() does not wait for one.
	 */
	port->in = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (port->in < 0)
		return refuse(-errno, "can't open '%s' for the port '%s': %s", path, port->name,
			      strerror(errno));
	return 0;
}

/**
 * port_use_descriptor() - put an open descriptor behind a port
 * @port: as for port_open()
 * @name: the port's name, shorter than PORT_NAME_SIZE
 * @fd: the descriptor, which stays the caller's
 *
 * Return: 0, or a negative errno after telling the person.
 */
int port_use_descriptor(struct port *port, const char *name, int fd)
{
	strcpy(port->name, name);
	port->in = port->out = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return port->in < 0 ? refuse(-errno, "can't use descriptor %d: %s", fd, strerror(errno)) : 0;
}

/* Use a descriptor that the program that started us has opened. */
static int use_number(struct port *port, const char *name, const char *number)
{
	uint64_t fd;

	if (!number_parse(number, 0, INT_MAX, &fd) || fcntl(fd, F_GETFD) < 0)
		return refuse(-EBADF, "the port '%s': fd=%s is no open descriptor", name, number);
	return port_use_descriptor(port, name, fd);
}

static int open_value(struct port *port, const struct value *value)
{
	char *colon = strchr(value->text, ':');
	const char *fd = value_get(value, "fd"), *in = value_get(value, "in");
	int error = value_refuse_others(value, "port", "in=", "fd=", NULL);

	if (error)
		return error;
	if (colon)
		*colon++ = '\0';
	if (!*value->first || strlen(value->first) >= sizeof(port->name) || !colon == !fd ||
	    (colon && !*colon))
		return misused("a port has a name of 1 to %d characters, and a file: --port=NAME:PATH",
			      PORT_NAME_SIZE - 1);
	strcpy(port->name, value->first);
	error = fd ? use_number(port, value->first, fd) : open_output(port, colon);
	return error || !in ? error : open_input(port, in);
}

/**
 * port_open() - open what the person wants behind a port
 * @port: all zero, without descriptors; port_close() it, whatever is returned
 * @text: the value of --port
 *
 * Return: 0, or a negative errno after telling the person.
 */
int port_open(struct port *port, const char *text)
{
	struct value value;
	int error = value_parse(&value, "port", "NAME:PATH", text);

	if (!error)
		error = open_value(port, &value);
	value_free(&value);
	port->ended = port->in < 0;
	return error;
}

/**
 * port_close() - close what port_open() opened
 * @port: nobody uses it any more
 */
void port_close(struct port *port)
{
	if (port->out != port->in)
		file_close(&port->out);
	file_close(&port->in);
}
