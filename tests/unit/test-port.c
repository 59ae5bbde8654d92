// SPDX-License-Identifier: GPL-2.0-only
/*
 * The console's ports: what the device tells the driver, and streams that begin and end. And
 * the console itself with a driver that knows of ports.
 */
#include <fcntl.h>
#include <pthread.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "port_driver.h"
#include "terminal/terminal.h"
#include "unit.h"

static int peer;	/* our end of the port's socket */

static void start(const char *value)
{
	terminal_detach(-1);	/* the console must not read our own standard input */
	make_console();
	ck_assert_int_eq(virtio_port_kind.add_port(&device, value), 1);
	start_device(2, 0);
}

/* Make a port with a socket, whose other end is @peer. */
static void start_socket(void)
{
	char value[64];
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	peer = ends[0];
	snprintf(value, sizeof(value), "some.name,fd=%d", ends[1]);
	start(value);
	close(ends[1]);
}

static void shake_hands(void)
{
	shake_hands_as("some.name");
}

START_TEST(the_driver_learns_the_name)
{
	start_socket();
	shake_hands();
	stop();
}
END_TEST

START_TEST(input_waits_until_somebody_listens)
{
	start_socket();
	shake_hands();
	offer(INPUT_QUEUE, 0, 100, true);
	ck_assert_int_eq(write(peer, "text", 4), 4);
	usleep(200000);
	ck_assert_uint_eq(driver_done(&driver, INPUT_QUEUE), 0);
	say(VIRTIO_CONSOLE_PORT_OPEN, 1);
	ck_assert(driver_wait(&driver, INPUT_QUEUE, 1));
	ck_assert_mem_eq(driver.memory.base + BUFFER(INPUT_QUEUE, 0), "text", 4);
	/* When the driver closes the port again, input waits again. */
	say(VIRTIO_CONSOLE_PORT_OPEN, 0);
	offer(INPUT_QUEUE, 1, 100, true);
	ck_assert_int_eq(write(peer, "more", 4), 4);
	usleep(200000);
	ck_assert_uint_eq(driver_done(&driver, INPUT_QUEUE), 1);
	stop();
}
END_TEST

START_TEST(the_end_comes_after_the_last_byte)
{
	start_socket();
	shake_hands();
	ck_assert_int_eq(write(peer, "last", 4), 4);
	close(peer);
	say(VIRTIO_CONSOLE_PORT_OPEN, 1);
	usleep(200000);
	ck_assert_uint_eq(driver_done(&driver, TO_DRIVER_QUEUE), heard);
	offer(INPUT_QUEUE, 0, 100, true);
	ck_assert(driver_wait(&driver, INPUT_QUEUE, 1));
	hear(VIRTIO_CONSOLE_PORT_OPEN, 0);
	/* A later driver is told, too. */
	say(VIRTIO_CONSOLE_PORT_READY, 1);
	hear(VIRTIO_CONSOLE_PORT_NAME, 1);
	hear(VIRTIO_CONSOLE_PORT_OPEN, 1);
	hear(VIRTIO_CONSOLE_PORT_OPEN, 0);
	stop();
}
END_TEST

START_TEST(output_is_exact_up_to_the_end)
{
	char text[64] = "";

	start_socket();
	shake_hands();
	memcpy(driver.memory.base + BUFFER(OUTPUT_QUEUE, 0), "first ", 6);
	offer(OUTPUT_QUEUE, 0, 6, false);
	ck_assert(driver_wait(&driver, OUTPUT_QUEUE, 1));
	memcpy(driver.memory.base + BUFFER(OUTPUT_QUEUE, 1), "last", 4);
	offer(OUTPUT_QUEUE, 1, 4, false);
	stop();
	ck_assert_int_eq(read(peer, text, sizeof(text)), 10);
	ck_assert_str_eq(text, "first last");
	ck_assert_int_eq(read(peer, text, sizeof(text)), 0);
}
END_TEST

/* Offer more output than fits between the port and a reader that does not read. */
static void fill_output(void)
{
	unsigned int number = 0, tries = 0;
	int room = 1;

	start_socket();
	shake_hands();
	setsockopt(peer, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	do {
		offer(OUTPUT_QUEUE, number++, 1024, false);
		for (tries = 0; tries < 100 && driver_done(&driver, OUTPUT_QUEUE) < number; tries++)
			usleep(1000);
	} while (tries < 100 && number < 3000);
	ck_assert_uint_lt(driver_done(&driver, OUTPUT_QUEUE), number);
}

/* A thread that reads our end of the socket to the end of file, after a while, and slowly. */
struct reader {
	pthread_t thread;
	int fd;
	useconds_t delay, pause;
	size_t size;
};

static void *run_reader(void *argument)
{
	struct reader *reader = argument;
	char text[4096];
	ssize_t got = 0;

	usleep(reader->delay);
	do {
		reader->size += got;
		usleep(reader->pause);
		got = read(reader->fd, text, sizeof(text));
	} while (got > 0);
	return NULL;
}

/* At power-off a guest's kernel resets the device, whatever is in the queue. */
static void reset_while_read(struct reader *reader, size_t first)
{
	unsigned int i;

	start_socket();
	shake_hands();
	driver_put_desc(&driver, OUTPUT_QUEUE, 0, 0x100000, first, 0, 0);
	driver_offer(&driver, OUTPUT_QUEUE, 0);
	driver_kick(&driver, OUTPUT_QUEUE);
	for (i = 1; i < DRIVER_ENTRIES; i++)
		offer(OUTPUT_QUEUE, i, 100, false);
	reader->fd = peer;
	ck_assert_int_eq(pthread_create(&reader->thread, NULL, run_reader, reader), 0);
	usleep(100000);
	driver_reset(&driver);
	stop();
	pthread_join(reader->thread, NULL);
}

START_TEST(a_reset_comes_after_what_was_written)
{
	struct reader reader = { .pause = 10000 };

	reset_while_read(&reader, 1 << 18);
	ck_assert_uint_eq(reader.size, (1 << 18) + (DRIVER_ENTRIES - 1) * 100);
}
END_TEST

/* Nobody waits for a reader that is slow, but never seems to have stopped. */
START_TEST(a_reset_comes_before_the_slowest_has_read_all)
{
	struct reader reader = { .pause = 50000 };

	reset_while_read(&reader, 2 << 20);
	ck_assert_uint_lt(reader.size, 1 << 20);
}
END_TEST

/* The device must end even if the reader has stopped. */
START_TEST(ends_while_it_waits_for_a_reader)
{
	fill_output();
	stop();
}
END_TEST

/* A reset must end, too, however much is to be written; the port works on after it. */
START_TEST(a_reset_does_not_wait_for_ever)
{
	char text[4096];
	time_t start;
	int i;

	fill_output();
	for (i = 0; i < 10; i++)
		offer(OUTPUT_QUEUE, driver_done(&driver, OUTPUT_QUEUE) + 1 + i, 1024, false);
	start = time(NULL);
	driver_reset(&driver);
	ck_assert_int_lt(time(NULL) - start, 4);
	while (recv(peer, text, sizeof(text), MSG_DONTWAIT) > 0)
		;
	driver_start(&driver, F_MULTIPORT);
	memset(driver.memory.base + BUFFER(OUTPUT_QUEUE, 0), 'x', 100);
	offer(OUTPUT_QUEUE, 0, 100, false);
	ck_assert(driver_wait(&driver, OUTPUT_QUEUE, 1));
	ck_assert_int_eq(recv(peer, text, sizeof(text), 0), 100);
	stop();
}
END_TEST

/* There is room for a little, but not for all of one long write. */
START_TEST(a_reset_does_not_wait_for_one_long_write)
{
	start_socket();
	shake_hands();
	driver_put_desc(&driver, OUTPUT_QUEUE, 0, 0x100000, 2 << 20, 0, 0);
	driver_offer(&driver, OUTPUT_QUEUE, 0);
	driver_kick(&driver, OUTPUT_QUEUE);
	usleep(100000);
	driver_reset(&driver);
	stop();
}
END_TEST

/* A chain may name all memory again and again: to write that would take for ever, too. */
START_TEST(too_much_at_once_is_misuse)
{
	unsigned int i;

	start_socket();
	shake_hands();
	for (i = 0; i < 4; i++)
		driver_put_desc(&driver, OUTPUT_QUEUE, i, 0x100000, 2 << 20,
				i < 3 ? VRING_DESC_F_NEXT : 0, i + 1);
	signal(SIGPIPE, SIG_IGN);
	close(peer);
	driver_offer(&driver, OUTPUT_QUEUE, 0);
	driver_kick(&driver, OUTPUT_QUEUE);
	driver_misuses(&driver, "more than 4 MiB");
	stop();
}
END_TEST

START_TEST(files_are_read_and_written)
{
	char *directory = unit_directory(), value[256], path[128], text[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), "%s/in", directory);
	file = fopen(path, "w");
	fputs("input", file);
	fclose(file);
	snprintf(value, sizeof(value), "some.name:%s/out,in=%s/in", directory, directory);
	start(value);
	shake_hands();
	say(VIRTIO_CONSOLE_PORT_OPEN, 1);
	offer(INPUT_QUEUE, 0, 100, true);
	ck_assert(driver_wait(&driver, INPUT_QUEUE, 1));
	ck_assert_mem_eq(driver.memory.base + BUFFER(INPUT_QUEUE, 0), "input", 5);
	/* The end of the port's input does not end its output. */
	memcpy(driver.memory.base + BUFFER(OUTPUT_QUEUE, 0), "output", 6);
	offer(OUTPUT_QUEUE, 0, 6, false);
	ck_assert(driver_wait(&driver, OUTPUT_QUEUE, 1));
	ck_assert_uint_eq(driver_done(&driver, TO_DRIVER_QUEUE), heard);
	stop();
	snprintf(path, sizeof(path), "%s/out", directory);
	file = fopen(path, "r");
	ck_assert_ptr_nonnull(fgets(text, sizeof(text), file));
	fclose(file);
	ck_assert_str_eq(text, "output");
}
END_TEST

static void refused(const char *value, const char *words)
{
	make_console();
	unit_refused(virtio_port_kind.add_port(&device, value), words);
	stop();
}

START_TEST(ports_that_can_not_be_are_refused)
{
	refused("name", "--port=NAME:PATH");
	refused("name:", "--port=NAME:PATH");
	refused(":/tmp/x", "--port=NAME:PATH");
	refused("", "needs a value");
	refused("name:/nowhere/x", "can't open '/nowhere/x' for the port 'name'");
	refused("name:/dev/null,in=/nowhere", "can't open '/nowhere' for the port 'name'");
	refused("name,fd=x", "fd=x is no open descriptor");
	refused("name,fd=1000", "fd=1000 is no open descriptor");
	refused("name:/dev/null,out=/x", "does not know 'out=/x'");
}
END_TEST

/* Control messages about missing ports, or cut off, change nothing. */
START_TEST(nonsense_is_not_heard)
{
	uint32_t numbers[] = { 2, 50, 0x80000000, VIRTIO_CONSOLE_BAD_ID };
	unsigned int i;

	start_socket();
	shake_hands();
	for (i = 0; i < 4; i++) {
		say_of(numbers[i], VIRTIO_CONSOLE_PORT_READY, 1);
		say_of(numbers[i], VIRTIO_CONSOLE_PORT_OPEN, 1);
	}
	for (i = VIRTIO_CONSOLE_PORT_NAME + 1; i < 100; i++)
		say(i, 1);
	offer(FROM_DRIVER_QUEUE, sent++, sizeof(struct virtio_console_control) - 1, false);
	ck_assert(driver_wait(&driver, FROM_DRIVER_QUEUE, sent));
	ck_assert_uint_eq(driver_done(&driver, TO_DRIVER_QUEUE), heard);
	ck_assert_int_eq(unit_messages, 0);
	stop();
}
END_TEST

/* Make @count ports "port.1"... with a socket each; the other ends go to @ends. */
static void start_ports(int ends[][2], int count)
{
	char value[64];
	int i;

	terminal_detach(-1);
	make_console();
	for (i = 0; i < count; i++) {
		ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends[i]), 0);
		snprintf(value, sizeof(value), "port.%d,fd=%d", i + 1, ends[i][1]);
		ck_assert_int_eq(virtio_port_kind.add_port(&device, value), i + 1);
		close(ends[i][1]);
	}
	start_device(1 + count, 0);
	shake_hands_as("port.1");
	for (i = 1; i < count; i++) {
		hear_of(i + 1, VIRTIO_CONSOLE_PORT_ADD, 1);
		say_of(i + 1, VIRTIO_CONSOLE_PORT_READY, 1);
		snprintf(value, sizeof(value), "port.%d", i + 1);
		ck_assert_str_eq(hear_of(i + 1, VIRTIO_CONSOLE_PORT_NAME, 1), value);
		hear_of(i + 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	}
}

START_TEST(each_port_has_its_own_stream)
{
	char value[64], text[64];
	int ends[3][2], i;

	start_ports(ends, 3);
	for (i = 2; i >= 0; i--) {
		unsigned int input = INPUT_QUEUE + 2 * i, output = input + 1;

		say_of(i + 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
		snprintf(value, sizeof(value), "this is %d", i + 1);
		ck_assert_int_eq(write(ends[i][0], value, 9), 9);
		offer(input, 0, 100, true);
		ck_assert(driver_wait(&driver, input, 1));
		ck_assert_mem_eq(driver.memory.base + BUFFER(input, 0), value, 9);
		memcpy(driver.memory.base + BUFFER(output, 0), value, 9);
		offer(output, 0, 9, false);
		ck_assert(driver_wait(&driver, output, 1));
		ck_assert_int_eq(read(ends[i][0], text, sizeof(text)), 9);
		ck_assert_mem_eq(text, value, 9);
	}
	stop();
}
END_TEST

static void *stop_queue(void *queue)
{
	driver_write(&driver, VIRTIO_MMIO_QUEUE_SEL, *(unsigned int *)queue);
	driver_write(&driver, VIRTIO_MMIO_QUEUE_READY, 0);
	return NULL;
}

/*
 * The driver stops the first port's output queue, which takes as long as its reader. The
 * other port's reader starts late, but in time, since nobody waits for that port.
 */
START_TEST(stopping_a_ports_queue_does_not_hurry_the_others)
{
	struct reader slow = { .pause = 30000 }, late = { .delay = 1800000 };
	unsigned int output[2] = { OUTPUT_QUEUE, OUTPUT_QUEUE + 2 };
	static const size_t size[2] = { 1 << 19, 2 << 20 };
	pthread_t stopper;
	int ends[2][2], i;

	start_ports(ends, 2);
	for (i = 0; i < 2; i++) {
		driver_put_desc(&driver, output[i], 0, 0x100000, size[i], 0, 0);
		driver_offer(&driver, output[i], 0);
		driver_kick(&driver, output[i]);
	}
	slow.fd = ends[0][0];
	late.fd = ends[1][0];
	pthread_create(&slow.thread, NULL, run_reader, &slow);
	pthread_create(&late.thread, NULL, run_reader, &late);
	usleep(100000);
	pthread_create(&stopper, NULL, stop_queue, &output[0]);
	ck_assert(driver_wait(&driver, output[1], 1));
	pthread_join(stopper, NULL);
	stop();
	pthread_join(slow.thread, NULL);
	pthread_join(late.thread, NULL);
	ck_assert_uint_eq(late.size, size[1]);
}
END_TEST

/* Keys may be typed before there is hvc0: the driver makes it some time after the port. */
START_TEST(what_is_typed_before_the_console_is_open_is_kept)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	dup2(ends[0], STDIN_FILENO);
	ck_assert_int_eq(write(ends[1], "typed early", 11), 11);
	make_console();
	start_device(1, 0);
	offer(CONSOLE_INPUT_QUEUE, 0, 100, true);
	say_of(VIRTIO_CONSOLE_BAD_ID, VIRTIO_CONSOLE_DEVICE_READY, 1);
	hear_of(0, VIRTIO_CONSOLE_PORT_ADD, 1);
	say_of(0, VIRTIO_CONSOLE_PORT_READY, 1);
	hear_of(0, VIRTIO_CONSOLE_CONSOLE_PORT, 1);
	hear_of(0, VIRTIO_CONSOLE_PORT_OPEN, 1);
	usleep(200000);
	ck_assert_uint_eq(driver_done(&driver, CONSOLE_INPUT_QUEUE), 0);
	say_of(0, VIRTIO_CONSOLE_PORT_OPEN, 1);
	ck_assert(driver_wait(&driver, CONSOLE_INPUT_QUEUE, 1));
	ck_assert_uint_eq(driver_used(&driver, CONSOLE_INPUT_QUEUE)->ring[0].len, 11);
	ck_assert_mem_eq(driver.memory.base + BUFFER(CONSOLE_INPUT_QUEUE, 0), "typed early", 11);
	stop();
}
END_TEST

START_TEST(the_size_of_the_window_is_told)
{
	struct winsize size = { .ws_row = 25, .ws_col = 81 };
	const uint16_t before[] = { 81, 25 }, after[] = { 132, 50 };
	int ours, its;

	ck_assert_int_eq(openpty(&ours, &its, NULL, NULL, &size), 0);
	dup2(its, STDIN_FILENO);
	dup2(its, STDOUT_FILENO);
	make_console();
	start_device(1, F_SIZE);
	say_of(VIRTIO_CONSOLE_BAD_ID, VIRTIO_CONSOLE_DEVICE_READY, 1);
	hear_of(0, VIRTIO_CONSOLE_PORT_ADD, 1);
	say_of(0, VIRTIO_CONSOLE_PORT_READY, 1);
	hear_of(0, VIRTIO_CONSOLE_CONSOLE_PORT, 1);
	ck_assert_mem_eq(hear_of(0, VIRTIO_CONSOLE_RESIZE, 1), before, sizeof(before));
	hear_of(0, VIRTIO_CONSOLE_PORT_OPEN, 1);
	size.ws_row = 50;
	size.ws_col = 132;
	ck_assert_int_eq(ioctl(ours, TIOCSWINSZ, &size), 0);
	kill(getpid(), SIGWINCH);	/* we are not the terminal's foreground process */
	ck_assert_mem_eq(hear_of(0, VIRTIO_CONSOLE_RESIZE, 1), after, sizeof(after));
	stop();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ports");

	UNIT_ADD(suite, the_driver_learns_the_name);
	UNIT_ADD(suite, input_waits_until_somebody_listens);
	UNIT_ADD(suite, the_end_comes_after_the_last_byte);
	UNIT_ADD(suite, output_is_exact_up_to_the_end);
	UNIT_ADD(suite, a_reset_comes_after_what_was_written);
	UNIT_ADD(suite, a_reset_comes_before_the_slowest_has_read_all);
	UNIT_ADD(suite, ends_while_it_waits_for_a_reader);
	UNIT_ADD(suite, a_reset_does_not_wait_for_ever);
	UNIT_ADD(suite, a_reset_does_not_wait_for_one_long_write);
	UNIT_ADD(suite, too_much_at_once_is_misuse);
	UNIT_ADD(suite, files_are_read_and_written);
	UNIT_ADD(suite, ports_that_can_not_be_are_refused);
	UNIT_ADD(suite, nonsense_is_not_heard);
	UNIT_ADD(suite, each_port_has_its_own_stream);
	UNIT_ADD(suite, stopping_a_ports_queue_does_not_hurry_the_others);
	UNIT_ADD(suite, what_is_typed_before_the_console_is_open_is_kept);
	UNIT_ADD(suite, the_size_of_the_window_is_told);
	return unit_run(suite);
}
