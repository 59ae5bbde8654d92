// SPDX-License-Identifier: GPL-2.0-only
/*
 * The console of a guest of Xen's ABI: bytes both ways, and indices that lie.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/event.h"
#include "base/compiler.h"
#include "unit.h"
#include "xen/console.h"

static struct xen_console console;
static struct xen_console_ring ring;
static int keyboard, screen;
static bool has_left;

static void leave(void *argument)
{
	(void)argument;
	has_left = true;
}

static void set_up_with(bool is_tty)
{
	int in[2], out[2];

	ck_assert_int_eq(pipe(in), 0);
	ck_assert_int_eq(pipe2(out, O_NONBLOCK), 0);
	dup2(in[0], STDIN_FILENO);
	dup2(out[1], STDOUT_FILENO);
	keyboard = in[1];
	screen = out[0];
	ck_assert_int_eq(xen_console_init(&console, leave, NULL), 0);
	console.is_tty = is_tty;
	memset(&ring, 0, sizeof(ring));
	ck_assert_int_eq(xen_console_start(&console, &ring), 0);
}

static void set_up(void)
{
	set_up_with(false);
}

static void tear_down(void)
{
	xen_console_stop(&console);
	xen_console_exit(&console);
}

static void hears(void)
{
	struct pollfd poll_fd = { .fd = console.port.raise, .events = POLLIN };

	ck_assert_int_eq(poll(&poll_fd, 1, 5000), 1);
	event_take(console.port.raise);
}

static void print(const char *text)
{
	uint32_t prod = ring.out_prod;

	for (; *text; text++)
		ring.out[prod++ % sizeof(ring.out)] = *text;
	__atomic_store_n(&ring.out_prod, prod, __ATOMIC_SEQ_CST);
	event_set(console.port.kick);
}

static void shows(const char *text)
{
	char got[4096] = "";
	size_t size = 0;
	int tries;

	for (tries = 0; size < strlen(text) && tries < 500; tries++) {
		ssize_t more = read(screen, got + size, sizeof(got) - 1 - size);

		if (more > 0)
			size += more;
		else
			usleep(10000);
	}
	ck_assert_str_eq(got, text);
}

START_TEST(output_is_shown)
{
	char text[1501];
	int i;

	set_up();
	print("hello\n");
	hears();
	shows("hello\n");
	ck_assert_uint_eq(READ_ONCE(ring.out_cons), 6);
	memset(text, 'x', sizeof(text));
	text[1500] = '\0';
	for (i = 0; i < 5; i++) {
		print(text);
		hears();
		shows(text);
	}
	tear_down();
}
END_TEST

START_TEST(last_words_are_shown)
{
	set_up();
	ring.out[0] = '!';
	__atomic_store_n(&ring.out_prod, 1, __ATOMIC_SEQ_CST);
	xen_console_stop(&console);
	shows("!");
	xen_console_exit(&console);
}
END_TEST

static void type_keys(size_t size)
{
	char text[1500];

	memset(text, 'k', sizeof(text));
	ck_assert_int_eq(write(keyboard, text, size), size);
}

START_TEST(input_waits_for_room)
{
	set_up_with(true);
	type_keys(1500);
	hears();
	ck_assert_uint_eq(READ_ONCE(ring.in_prod), sizeof(ring.in));
	ck_assert_uint_eq(ring.in[0], 'k');
	ck_assert_mem_eq(ring.in, ring.in + 1, sizeof(ring.in) - 1);
	usleep(50000);
	ck_assert_uint_eq(READ_ONCE(ring.in_prod), sizeof(ring.in));
	__atomic_store_n(&ring.in_cons, 1000, __ATOMIC_SEQ_CST);
	event_set(console.port.kick);
	hears();
	ck_assert_uint_eq(READ_ONCE(ring.in_prod), 1500);
	tear_down();
}
END_TEST

/* Whoever reads our output takes nothing, and so nobody hears that there is room. */
START_TEST(input_does_not_wait_for_output)
{
	set_up_with(true);
	type_keys(1500);
	hears();
	__atomic_store_n(&ring.in_cons, 1000, __ATOMIC_SEQ_CST);
	hears();
	ck_assert_uint_eq(READ_ONCE(ring.in_prod), 1500);
	tear_down();
}
END_TEST

static size_t left_in_pipe(void)
{
	int size;

	ck_assert_int_eq(ioctl(STDIN_FILENO, FIONREAD, &size), 0);
	return size;
}

START_TEST(of_a_pipe_only_what_the_guest_takes_is_read)
{
	set_up();
	type_keys(1500);
	usleep(50000);
	ck_assert_uint_eq(left_in_pipe(), 1500);
	/* It is there. */
	event_set(console.port.kick);
	hears();
	usleep(50000);
	ck_assert_uint_eq(READ_ONCE(ring.in_prod), sizeof(ring.in));
	ck_assert_uint_eq(left_in_pipe(), 1500 - sizeof(ring.in));
	__atomic_store_n(&ring.in_cons, sizeof(ring.in), __ATOMIC_SEQ_CST);
	hears();
	ck_assert_uint_eq(READ_ONCE(ring.in_prod), 1500);
	/* The next start is heard of, too, before it gets anything. */
	xen_console_stop(&console);
	memset(&ring, 0, sizeof(ring));
	ck_assert_int_eq(xen_console_start(&console, &ring), 0);
	type_keys(1);
	usleep(50000);
	ck_assert_uint_eq(left_in_pipe(), 1);
	tear_down();
}
END_TEST

START_TEST(indices_that_lie_do_no_harm)
{
	static const uint32_t hostile[] = { 2049, 0x7fffffff, 0x80000000, 0xffffffff };
	size_t i;

	set_up();
	for (i = 0; i < ARRAY_SIZE(hostile); i++) {
		WRITE_ONCE(ring.out_prod, READ_ONCE(ring.out_prod) + hostile[i]);
		event_set(console.port.kick);
		usleep(20000);
		/* It is believed from there on. */
		print("ok");
		hears();
		shows("ok");
		WRITE_ONCE(ring.in_cons, hostile[i]);
		ck_assert_int_eq(write(keyboard, "x", 1), 1);
		usleep(20000);
		WRITE_ONCE(ring.in_cons, READ_ONCE(ring.in_prod));
		event_set(console.port.kick);
		hears();
	}
	tear_down();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("Xen's console");

	UNIT_ADD(suite, output_is_shown);
	UNIT_ADD(suite, last_words_are_shown);
	UNIT_ADD(suite, input_waits_for_room);
	UNIT_ADD(suite, input_does_not_wait_for_output);
	UNIT_ADD(suite, of_a_pipe_only_what_the_guest_takes_is_read);
	UNIT_ADD(suite, indices_that_lie_do_no_harm);
	return unit_run(suite);
}
