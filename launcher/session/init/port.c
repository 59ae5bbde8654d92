// SPDX-License-Identifier: GPL-2.0-only
/*
 * The init's way to the launcher: a port of virtio's console, or, in a guest of Xen's ABI, a
 * second console.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "session/init/run_init.h"

#define CHANNEL		"/dev/hvc1"

/* Is /sys/class/virtio-ports/NAME the session's port? */
static bool is_ours(const char *name)
{
	char path[300], text[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/sys/class/virtio-ports/%s/name", name);
	file = fopen(path, "r");
	if (!file)
		return false;
	if (!fgets(text, sizeof(text), file))
		text[0] = '\0';
	fclose(file);
	return !strcmp(text, SESSION_PORT "\n");
}

static bool open_virtio_port(void)
{
	char name[32], path[48];
	int i;

	for (i = 1; i < 32 && port < 0; i++) {
		snprintf(name, sizeof(name), "vport0p%d", i);
		snprintf(path, sizeof(path), "/dev/%s", name);
		if (is_ours(name))
			port = open(path, O_RDWR | O_CLOEXEC);
	}
	return port >= 0;
}

/*
 * A terminal: no byte may mean anything. The launcher sends nothing before it has heard
 * something, by then it is set so.
 */
static bool open_channel(void)
{
	struct termios settings;

	port = open(CHANNEL, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (port < 0)
		return false;
	if (tcgetattr(port, &settings) < 0)
		die("can't set its channel");
	cfmakeraw(&settings);
	settings.c_cflag |= CLOCAL | CREAD;
	if (tcsetattr(port, TCSANOW, &settings) < 0)
		die("can't set its channel");
	send_frame(SESSION_STDERR, NULL, 0);
	return true;
}

static bool says_xen(void)
{
	char text[8] = "";
	FILE *file = fopen("/sys/hypervisor/type", "r");

	if (!file)
		return false;
	if (!fgets(text, sizeof(text), file))
		text[0] = '\0';
	fclose(file);
	return !strcmp(text, "xen\n");
}

/* The driver adds ports some time after the device; port 0 is the console. */
void open_port(void)
{
	int tries;

	is_xen = says_xen();
	for (tries = 0; tries < 6000; tries++) {
		if (is_xen ? open_channel() : open_virtio_port())
			return;
		usleep(10000);
	}
	die(is_xen ? "finds no channel (CONFIG_HVC_XEN_FRONTEND)" :
		     "finds no port (CONFIG_VIRTIO_CONSOLE)");
}
