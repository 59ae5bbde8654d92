// SPDX-License-Identifier: GPL-2.0-only
/* The port of the guest's agent, which the launcher asks to power the guest down. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "agent.h"
#include "port_driver.h"
#include "terminal/terminal.h"
#include "unit.h"

static struct agent agent;

static void start_agent(void)
{
	signal(SIGPIPE, SIG_IGN);	/* as terminal_init() does */
	terminal_detach(-1);
	make_console();
	ck_assert_int_eq(agent_init(&agent, &device), 0);
	start_device(2, 0);
	shake_hands_as("org.qemu.guest_agent.0");
}

static void stop_agent(void)
{
	stop();
	agent_exit(&agent);
	ck_assert_int_eq(agent_power_down(&agent), -ENODEV);
}

START_TEST(an_agent_that_listens_is_told)
{
	static const char text[] =
		"{\"execute\":\"guest-shutdown\",\"arguments\":{\"mode\":\"powerdown\"}}\n";

	start_agent();
	offer(INPUT_QUEUE, 0, 1024, true);
	ck_assert_int_eq(agent_power_down(&agent), -ENOTCONN);
	say(VIRTIO_CONSOLE_PORT_OPEN, 1);
	ck_assert_int_eq(agent_power_down(&agent), 0);
	ck_assert(driver_wait(&driver, INPUT_QUEUE, 1));
	ck_assert_uint_eq(driver_used(&driver, INPUT_QUEUE)->ring[0].len, strlen(text));
	ck_assert_mem_eq(driver.memory.base + BUFFER(INPUT_QUEUE, 0), text, strlen(text));
	say(VIRTIO_CONSOLE_PORT_OPEN, 0);
	ck_assert_int_eq(agent_power_down(&agent), -ENOTCONN);
	/* A driver that goes away does not close the port. */
	say(VIRTIO_CONSOLE_PORT_OPEN, 1);
	driver_reset(&driver);
	ck_assert_int_eq(agent_power_down(&agent), -ENOTCONN);
	stop_agent();
}
END_TEST

/* The agent and the launcher do not wait for each other. */
START_TEST(an_agent_may_say_what_it_wants)
{
	unsigned int i;

	start_agent();
	for (i = 0; i < 3000; i++) {
		offer(OUTPUT_QUEUE, i, 1024, false);
		ck_assert(driver_wait(&driver, OUTPUT_QUEUE, i + 1));
	}
	say(VIRTIO_CONSOLE_PORT_OPEN, 1);
	ck_assert_int_eq(agent_power_down(&agent), 0);
	stop_agent();
}
END_TEST

START_TEST(an_agent_that_does_not_listen_is_told_so_often)
{
	int error = 0, i;

	start_agent();
	say(VIRTIO_CONSOLE_PORT_OPEN, 1);
	for (i = 0; !error && i < 100000; i++)
		error = agent_power_down(&agent);
	ck_assert_int_eq(error, -EAGAIN);
	stop_agent();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("agent");

	UNIT_ADD(suite, an_agent_that_listens_is_told);
	UNIT_ADD(suite, an_agent_may_say_what_it_wants);
	UNIT_ADD(suite, an_agent_that_does_not_listen_is_told_so_often);
	return unit_run(suite);
}
