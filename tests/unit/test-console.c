// SPDX-License-Identifier: GPL-2.0-only
/*
 * The console, with its threads.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <poll.h>
#include <pthread.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "driver.h"
#include "terminal/terminal.h"
#include "unit.h"

#define WRITE		VRING_DESC_F_WRITE
#define F_EVENT_IDX	(1ULL << VIRTIO_RING_F_EVENT_IDX)

#define INPUT_QUEUE	0
#define OUTPUT_QUEUE	1
#define STREAM_SIZE	(64 * 1024)
#define CHUNK		1000

static struct virtio_device device;
static struct driver driver;
static atomic_int leaves;
static int to_input, from_output;	/* our ends of the console's pipes */

static void on_leave(void *argument)
{
	ck_assert_ptr_eq(argument, &driver);
	leaves++;
}

/* Make standard input and output pipes (each test is a process). */
static void make_pipes(void)
{
	int in[2], out[2];

	ck_assert_int_eq(pipe(in), 0);
	ck_assert_int_eq(pipe(out), 0);
	dup2(in[0], STDIN_FILENO);
	dup2(out[1], STDOUT_FILENO);
	close(in[0]);
	close(out[1]);
	to_input = in[1];
	from_output = out[0];
}

static void start_console(uint64_t features)
{
	driver_init(&driver);
	ck_assert_int_eq(virtio_console_init(&device, &driver.memory, on_leave, &driver), 0);
	driver_run(&driver, &device, features);
}

/* Fill and offer a buffer of the output queue; they are CHUNK bytes apart. */
static void send(unsigned int number, const void *text, size_t size)
{
	unsigned int index = number % DRIVER_ENTRIES;
	uint64_t gpa = DRIVER_BUFFERS + index * CHUNK;

	memcpy(driver.memory.base + gpa, text, size);
	driver_put_desc(&driver, OUTPUT_QUEUE, index, gpa, size, 0, 0);
	driver_offer(&driver, OUTPUT_QUEUE, index);
	driver_kick(&driver, OUTPUT_QUEUE);
}

static void offer_input(unsigned int number, size_t size)
{
	unsigned int index = number % DRIVER_ENTRIES;

	driver_put_desc(&driver, INPUT_QUEUE, index, DRIVER_BUFFERS + index * CHUNK, size, WRITE, 0);
	driver_offer(&driver, INPUT_QUEUE, index);
	driver_kick(&driver, INPUT_QUEUE);
}

/* Get what the device put into the n-th buffer. */
static size_t received(unsigned int number, void *text)
{
	struct vring_used_elem *used = &driver_used(&driver, INPUT_QUEUE)->ring[number %
								DRIVER_ENTRIES];

	memcpy(text, driver.memory.base + DRIVER_BUFFERS + used->id * CHUNK, used->len);
	return used->len;
}

static void read_all(int fd, uint8_t *to, size_t size)
{
	while (size) {
		ssize_t got = read(fd, to, size);

		ck_assert_int_gt(got, 0);
		to += got;
		size -= got;
	}
}

static void *read_slowly(void *to)
{
	usleep(100000);
	read_all(from_output, to, STREAM_SIZE);
	return NULL;
}

static void fill_random(uint8_t *at, size_t size)
{
	while (size--)
		*at++ = unit_random();
}

static void output_is_exact(uint64_t features)
{
	static uint8_t sent[STREAM_SIZE], got[STREAM_SIZE];
	unsigned int number = 0;
	pthread_t reader;
	size_t done, size;

	make_pipes();
	fcntl(from_output, F_SETPIPE_SZ, 4096);
	start_console(features);
	fill_random(sent, sizeof(sent));
	pthread_create(&reader, NULL, read_slowly, got);
	for (done = 0; done < STREAM_SIZE; done += size) {
		size = STREAM_SIZE - done < CHUNK ? STREAM_SIZE - done : 1 + unit_random() % CHUNK;
		send(number++, sent + done, size);
		ck_assert(driver_wait(&driver, OUTPUT_QUEUE, number));
	}
	pthread_join(reader, NULL);
	ck_assert_mem_eq(sent, got, STREAM_SIZE);
	driver_stop(&driver);
}

START_TEST(console_output_is_exact)
{
	output_is_exact(0);
}
END_TEST

START_TEST(console_output_is_exact_with_event_indexes)
{
	output_is_exact(F_EVENT_IDX);
}
END_TEST

static void *write_input(void *from)
{
	ck_assert_int_eq(write(to_input, from, STREAM_SIZE), STREAM_SIZE);
	close(to_input);
	return NULL;
}

static void input_is_exact(uint64_t features)
{
	static uint8_t sent[STREAM_SIZE], got[STREAM_SIZE + CHUNK];
	unsigned int offered = 0, taken = 0;
	pthread_t writer;
	size_t done = 0;

	make_pipes();
	start_console(features);
	fill_random(sent, sizeof(sent));
	memset(sent + 100, 1, 50);	/* Ctrl-A means nothing in a pipe */
	pthread_create(&writer, NULL, write_input, sent);
	while (done < STREAM_SIZE) {
		while (offered < taken + 4)
			offer_input(offered++, 1 + unit_random() % CHUNK);
		while (taken == driver_done(&driver, INPUT_QUEUE))
			usleep(10);
		done += received(taken++, got + done);
	}
	pthread_join(writer, NULL);
	ck_assert_uint_eq(done, STREAM_SIZE);
	ck_assert_mem_eq(sent, got, STREAM_SIZE);
	ck_assert_int_eq(leaves, 0);
	driver_stop(&driver);
}

START_TEST(console_input_is_exact)
{
	input_is_exact(0);
}
END_TEST

START_TEST(console_input_is_exact_with_event_indexes)
{
	input_is_exact(F_EVENT_IDX);
}
END_TEST

static int unread(void)
{
	int count;

	ck_assert_int_eq(ioctl(STDIN_FILENO, FIONREAD, &count), 0);
	return count;
}

/* Input that the guest has no room for stays in the pipe, where another program can read it. */
START_TEST(console_reads_only_what_the_guest_takes)
{
	char text[CHUNK];

	make_pipes();
	start_console(F_EVENT_IDX);
	ck_assert_int_eq(write(to_input, "0123456789", 10), 10);
	usleep(200000);
	ck_assert_int_eq(unread(), 10);
	/* A reset forgets the buffers, not the input. */
	driver_start(&driver, F_EVENT_IDX);
	offer_input(0, CHUNK);
	ck_assert(driver_wait(&driver, INPUT_QUEUE, 1));
	ck_assert_uint_eq(received(0, text), 10);
	ck_assert_mem_eq(text, "0123456789", 10);
	ck_assert_int_eq(write(to_input, "abc", 3), 3);
	usleep(200000);
	ck_assert_int_eq(unread(), 3);
	driver_stop(&driver);
}
END_TEST

/* The console works on after the end of its input. */
static void console_lives_without_input(void)
{
	uint8_t byte;

	start_console(0);
	offer_input(0, CHUNK);
	usleep(100000);
	send(0, "x", 1);
	ck_assert(driver_wait(&driver, OUTPUT_QUEUE, 1));
	read_all(from_output, &byte, 1);
	ck_assert_uint_eq(driver_done(&driver, INPUT_QUEUE), 0);
	driver_stop(&driver);
}

START_TEST(console_lives_when_input_ends)
{
	make_pipes();
	close(to_input);
	console_lives_without_input();
}
END_TEST

START_TEST(console_lives_on_dev_null)
{
	make_pipes();
	dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
	console_lives_without_input();
}
END_TEST

START_TEST(console_lives_when_input_is_closed)
{
	make_pipes();
	close(STDIN_FILENO);
	ck_assert_int_eq(terminal_init(), 0);
	console_lives_without_input();
}
END_TEST

START_TEST(console_lives_when_nobody_reads_its_output)
{
	int i;

	make_pipes();
	ck_assert_int_eq(terminal_init(), 0);	/* SIGPIPE */
	close(from_output);
	start_console(0);
	for (i = 0; i < 5; i++) {
		send(i, "text", 4);
		ck_assert(driver_wait(&driver, OUTPUT_QUEUE, i + 1));
	}
	driver_stop(&driver);
	ck_assert_int_eq(unit_messages, 0);
}
END_TEST

/* The device must end even if its reader has stopped and the pipe is full. */
START_TEST(console_ends_while_it_waits_for_a_reader)
{
	static char text[CHUNK];
	unsigned int number = 0;

	make_pipes();
	fcntl(from_output, F_SETPIPE_SZ, 4096);
	start_console(0);
	while (number < 10)
		send(number++, text, CHUNK);
	usleep(100000);
	ck_assert_uint_lt(driver_done(&driver, OUTPUT_QUEUE), 10);
	terminal_give_up(true);
	driver_stop(&driver);
}
END_TEST

/* The device ends when no thread has taken these chains yet. */
START_TEST(console_output_is_complete_at_the_end)
{
	char text[16];
	int i;

	for (i = 0; i < 20; i++) {
		make_pipes();
		driver_init(&driver);
		ck_assert_int_eq(virtio_console_init(&device, &driver.memory, on_leave, &driver), 0);
		driver.device = &device;
		driver_start(&driver, F_EVENT_IDX);
		send(0, "last ", 5);
		send(1, "words", 5);
		driver_start_threads(&driver);
		driver_stop(&driver);
		read_all(from_output, (uint8_t *)text, 10);
		ck_assert_mem_eq(text, "last words", 10);
	}
}
END_TEST

/* Read so slowly that much output would take very long. */
static void *read_patiently(void *argument)
{
	char text[4096];

	while (read(from_output, text, sizeof(text)) > 0)
		usleep(10000);
	return argument;
}

/* The device of a guest that has ended must not write all that the guest has offered. */
START_TEST(console_ends_before_all_of_very_much_is_written)
{
	time_t start_time;
	pthread_t reader;
	unsigned int i;

	make_pipes();
	start_console(0);
	for (i = 0; i < DRIVER_ENTRIES; i++) {
		driver_put_desc(&driver, OUTPUT_QUEUE, i, DRIVER_BUFFERS, 1 << 20, 0, 0);
		driver_offer(&driver, OUTPUT_QUEUE, i);
	}
	driver_kick(&driver, OUTPUT_QUEUE);
	ck_assert_int_eq(pthread_create(&reader, NULL, read_patiently, NULL), 0);
	usleep(100000);
	start_time = time(NULL);
	driver_stop(&driver);
	ck_assert_int_lt(time(NULL) - start_time, 10);
	close(STDOUT_FILENO);
	pthread_join(reader, NULL);
}
END_TEST

/* Make standard input and output a terminal. Return: our end of it. */
static int make_terminal(void)
{
	struct winsize size = { .ws_row = 25, .ws_col = 81 };
	int ours, its;

	ck_assert_int_eq(openpty(&ours, &its, NULL, NULL, &size), 0);
	dup2(its, STDIN_FILENO);
	dup2(its, STDOUT_FILENO);
	terminal_raw();
	ck_assert(terminal_is_raw());
	return ours;
}

START_TEST(ctrl_a_x_leaves_even_if_the_guest_does_not_listen)
{
	int ours = make_terminal(), tries;

	start_console(0);
	ck_assert_int_eq(write(ours, "typed\1", 6), 6);
	usleep(50000);
	ck_assert_int_eq(leaves, 0);
	ck_assert_int_eq(write(ours, "x", 1), 1);
	for (tries = 0; !leaves && tries < 5000; tries++)
		usleep(1000);
	ck_assert_int_gt(leaves, 0);
	driver_stop(&driver);
	terminal_restore();
}
END_TEST

START_TEST(ctrl_a_is_sent_by_typing_it_twice)
{
	int ours = make_terminal(), got = 0, number = 0;
	char text[CHUNK];

	start_console(0);
	while (number < 10)
		offer_input(number++, CHUNK);
	ck_assert_int_eq(write(ours, "a\1\1b\1c\3d", 8), 8);
	for (number = 0; got < 5; number++) {
		ck_assert(driver_wait(&driver, INPUT_QUEUE, number + 1));
		got += received(number, text + got);
	}
	/* Ctrl-C goes to the guest; Ctrl-A with any other key does nothing. */
	ck_assert_int_eq(got, 5);
	ck_assert_mem_eq(text, "a\1b\3d", 5);
	ck_assert_int_eq(leaves, 0);
	driver_stop(&driver);
	terminal_restore();
}
END_TEST

START_TEST(window_size_is_passed_on)
{
	struct winsize size = { .ws_row = 50, .ws_col = 132 };
	int ours = make_terminal(), tries;

	start_console(1);	/* VIRTIO_CONSOLE_F_SIZE */
	ck_assert_uint_eq(driver_read(&driver, VIRTIO_MMIO_CONFIG), 81 | 25 << 16);
	driver_interrupted(&driver);
	ck_assert_int_eq(ioctl(ours, TIOCSWINSZ, &size), 0);
	kill(getpid(), SIGWINCH);	/* we are not the terminal's foreground process */
	for (tries = 0; tries < 5000; tries++) {
		if (driver_read(&driver, VIRTIO_MMIO_INTERRUPT_STATUS) & VIRTIO_MMIO_INT_CONFIG)
			break;
		usleep(1000);
	}
	ck_assert_uint_eq(driver_read(&driver, VIRTIO_MMIO_CONFIG), 132 | 50 << 16);
	driver_stop(&driver);
	terminal_restore();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("console");

	UNIT_ADD(suite, console_output_is_exact);
	UNIT_ADD(suite, console_output_is_exact_with_event_indexes);
	UNIT_ADD(suite, console_input_is_exact);
	UNIT_ADD(suite, console_input_is_exact_with_event_indexes);
	UNIT_ADD(suite, console_reads_only_what_the_guest_takes);
	UNIT_ADD(suite, console_lives_when_input_ends);
	UNIT_ADD(suite, console_lives_on_dev_null);
	UNIT_ADD(suite, console_lives_when_input_is_closed);
	UNIT_ADD(suite, console_lives_when_nobody_reads_its_output);
	UNIT_ADD(suite, console_ends_while_it_waits_for_a_reader);
	UNIT_ADD(suite, console_output_is_complete_at_the_end);
	UNIT_ADD(suite, console_ends_before_all_of_very_much_is_written);
	UNIT_ADD(suite, ctrl_a_x_leaves_even_if_the_guest_does_not_listen);
	UNIT_ADD(suite, ctrl_a_is_sent_by_typing_it_twice);
	UNIT_ADD(suite, window_size_is_passed_on);
	return unit_run(suite);
}
