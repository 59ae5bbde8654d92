// SPDX-License-Identifier: GPL-2.0-only
/*
 * The console of a guest that was detached: a client gets all output, to the last byte, but
 * one that does not read blocks nobody for ever.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "terminal/console_log.h"
#include "terminal/relay.h"
#include "unit.h"

#define OUTPUT	(256 * 1024)

static int client;
static size_t received;

/* Make standard output the guest's console, and attach a client. */
static void start_relay(void)
{
	struct timeval limit = { .tv_sec = 60 };
	int ends[2], room = 4096;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	ck_assert_int_eq(setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)), 0);
	ck_assert_int_eq(setsockopt(ends[0], SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)), 0);
	client = ends[1];
	ck_assert_int_eq(relay_init(), 0);
	ck_assert_int_eq(relay_start(), 0);
	ck_assert_int_eq(relay_reserve(), 0);
	relay_attach(ends[0]);
}

/* Read so slowly that the relay has to wait. */
static void *read_slowly(void *argument)
{
	char text[4096];
	ssize_t got, i;

	while ((got = recv(client, text, sizeof(text), 0)) > 0) {
		for (i = 0; i < got; i++, received++)
			ck_assert_int_eq(text[i], 'a' + received % 26);
		usleep(5000);
	}
	return argument;
}

START_TEST(the_last_output_reaches_the_client)
{
	static char text[OUTPUT];
	size_t done = 0, i;
	pthread_t reader;

	for (i = 0; i < OUTPUT; i++)
		text[i] = 'a' + i % 26;
	start_relay();
	ck_assert_int_eq(pthread_create(&reader, NULL, read_slowly, NULL), 0);
	while (done < OUTPUT) {
		ssize_t written = write(STDOUT_FILENO, text + done, OUTPUT - done);

		ck_assert_int_gt(written, 0);
		done += written;
	}
	relay_exit();
	pthread_join(reader, NULL);
	ck_assert_uint_eq(received, OUTPUT);
}
END_TEST

START_TEST(a_client_that_does_not_read_holds_nobody_up)
{
	static const char text[4096];
	struct timespec before, after;
	int i;

	start_relay();
	usleep(100000);		/* until the relay has taken the client */
	/* Write no more than fits into the terminal and the socket. */
	for (i = 0; i < 3; i++)
		ck_assert_int_eq(write(STDOUT_FILENO, text, sizeof(text)), sizeof(text));
	clock_gettime(CLOCK_MONOTONIC, &before);
	relay_exit();
	clock_gettime(CLOCK_MONOTONIC, &after);
	ck_assert_int_lt(after.tv_sec - before.tv_sec, 30);
}
END_TEST

/* Without a client, the file must still get what the guest printed last. */
START_TEST(all_output_comes_to_the_file)
{
	static char text[OUTPUT], found[OUTPUT + 1];
	char path[256];
	size_t done = 0, i;
	FILE *file;

	snprintf(path, sizeof(path), "%s/console", unit_directory());
	ck_assert_int_eq(console_log_open(path), 0);
	for (i = 0; i < OUTPUT; i++)
		text[i] = 'a' + i % 26;
	ck_assert_int_eq(relay_init(), 0);
	ck_assert_int_eq(relay_start(), 0);
	while (done < OUTPUT) {
		ssize_t written = write(STDOUT_FILENO, text + done, OUTPUT - done);

		ck_assert_int_gt(written, 0);
		done += written;
	}
	relay_exit();
	file = fopen(path, "r");
	ck_assert_uint_eq(fread(found, 1, sizeof(found), file), OUTPUT);
	ck_assert(!memcmp(text, found, OUTPUT));
	fclose(file);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("relay");

	UNIT_ADD(suite, the_last_output_reaches_the_client);
	UNIT_ADD(suite, a_client_that_does_not_read_holds_nobody_up);
	UNIT_ADD(suite, all_output_comes_to_the_file);
	return unit_run(suite);
}
