// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether this host can run guests: one line for each condition, and for each that is not met,
 * what mends it. lg.ko checks the same when it is loaded, and decides.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "control/answer.h"
#include "command/check.h"
#include "lguest_abi.h"
#include "lguest_uapi.h"

#define SECURE_BOOT	"/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"

struct check {
	const char *root;	/* "": this host; a test has its own */
	bool failed;
	json_t *lines;		/* for --json; NULL: they are printed */
};

/* Print a line: what it is about and how it is; and in the next line what mends it. */
static void line(struct check *check, bool good, const char *what, const char *is,
		 const char *mend)
{
	check->failed |= !good;
	if (good)
		mend = NULL;
	if (check->lines) {
		json_array_append_new(check->lines,
				      json_pack("{s:b, s:s, s:s, s:s*}", "ok", good, "what", what,
						"is", is, "mend", mend));
		return;
	}
	printf("%-4s %s: %s\n", good ? "ok" : "NO", what, is);
	if (mend)
		printf("     %s\n", mend);
}

static char *path_of(const struct check *check, const char *path)
{
	char *full;

	if (asprintf(&full, "%s%s", check->root, path) < 0)
		abort();
	return full;
}

static bool exists(const struct check *check, const char *path)
{
	char *full = path_of(check, path);
	struct stat status;
	bool there = !stat(full, &status);

	free(full);
	return there;
}

/* Read the start of a file as a string; empty if it can't be read. */
static size_t read_start(const struct check *check, const char *path, char *text, size_t size)
{
	char *full = path_of(check, path);
	FILE *file = fopen(full, "r");
	size_t got = 0;

	if (file) {
		got = fread(text, 1, size - 1, file);
		fclose(file);
	}
	text[got] = '\0';
	free(full);
	return got;
}

/* Read the flags of the first CPU, with a space at both ends. */
static char *read_flags(const struct check *check)
{
	char *full = path_of(check, "/proc/cpuinfo"), *text = NULL, *end;
	FILE *file = fopen(full, "r");
	size_t size = 0;

	free(full);
	if (!file)
		return NULL;
	while (getline(&text, &size, file) > 0) {
		if (strncmp(text, "flags", 5))
			continue;
		end = strchr(text, '\n');
		if (end)
			*end = ' ';
		fclose(file);
		return text;
	}
	fclose(file);
	free(text);
	return NULL;
}

static void check_cpu(struct check *check)
{
	char *flags = read_flags(check);

	if (!flags) {
		line(check, false, "processor", "/proc/cpuinfo can't be read", NULL);
		return;
	}
	line(check, strstr(flags, " lm "), "processor", "64-bit (lm)", "lguest needs an x86-64 host");
	line(check, strstr(flags, " nx "), "processor", "no-execute pages (nx)",
	     "turn it on in the firmware (\"Execute Disable\"), and boot without noexec=off");
	line(check, strstr(flags, " fsgsbase "), "processor", "FSGSBASE instructions (fsgsbase)",
	     "needs Intel from Ivy Bridge, AMD from Excavator or Zen; boot without nofsgsbase; in a VM choose a newer CPU model");
	line(check, strstr(flags, " xsave "), "processor", "XSAVE instructions (xsave)",
	     "boot without noxsave; in a VM choose a newer CPU model");
	if (strstr(flags, " fred "))
		line(check, false, "processor", "FRED is on, which lg.ko can't handle yet",
		     "boot with fred=off on the kernel command line");
	free(flags);
}

static void check_kernel(struct check *check)
{
	char type[16], version[512];
	bool is_pv;

	read_start(check, "/proc/version", version, sizeof(version));
	if (strstr(version, " PREEMPT_RT "))
		line(check, false, "host", "runs a real-time kernel (PREEMPT_RT), which lg.ko can't handle",
		     "boot a kernel without PREEMPT_RT");
	read_start(check, "/sys/hypervisor/guest_type", type, sizeof(type));
	is_pv = !strncmp(type, "PV", 2) && strncmp(type, "PVH", 3);
	if (is_pv)
		line(check, false, "host", "is itself a Xen PV guest",
		     "use a host that runs in Xen's HVM or PVH mode, or on no Xen at all");
}

/* Does the kernel take only signed modules? */
static bool wants_signature(const struct check *check)
{
	char text[256];

	if (read_start(check, "/sys/kernel/security/lockdown", text, sizeof(text)))
		return !strstr(text, "[none]");
	if (read_start(check, "/sys/module/module/parameters/sig_enforce", text, sizeof(text)) &&
	    text[0] == 'Y')
		return true;
	/* The file is four bytes of attributes, then 1 if Secure Boot is on. */
	return read_start(check, SECURE_BOOT, text, sizeof(text)) >= 5 && text[4] == 1;
}

/* Is there an installed lg.ko for the kernel that runs? */
static bool is_installed(const struct check *check)
{
	struct utsname host;
	char path[256], *full, *text = NULL;
	bool found = false;
	size_t size = 0;
	FILE *file;

	if (uname(&host) < 0)
		return false;
	snprintf(path, sizeof(path), "/lib/modules/%s/modules.dep", host.release);
	full = path_of(check, path);
	file = fopen(full, "r");
	free(full);
	while (file && !found && getline(&text, &size, file) > 0)
		found = strstr(text, "/lg.ko");
	if (file)
		fclose(file);
	free(text);
	return found;
}

static void check_module(struct check *check)
{
	bool loaded = exists(check, "/sys/module/lg");
	const char *mend = "make && sudo insmod lg.ko";

	if (is_installed(check))
		mend = "sudo modprobe lg";
	line(check, loaded, "module lg", loaded ? "loaded" : "not loaded for this kernel", mend);
	if (!loaded && wants_signature(check))
		line(check, false, "Secure Boot", "this kernel takes only signed modules",
		     "sign lg.ko with a key that the machine knows (mokutil --import), or turn Secure Boot off: README.md says how");
}

static void check_version(struct check *check, int fd)
{
	struct lguest_info info = { 0 };
	char text[128];
	bool good;

	if (ioctl(fd, LGUEST_GET_INFO, &info) < 0) {
		line(check, false, LGUEST_DEVICE, "does not answer",
		     "sudo rmmod lg; make && sudo insmod lg.ko");
		return;
	}
	good = info.api_version == LGUEST_API_VERSION && info.abi_version == LGUEST_ABI_VERSION;
	snprintf(text, sizeof(text), "versions %u and %u, this program's are %u and %u",
		 info.api_version, info.abi_version, LGUEST_API_VERSION, LGUEST_ABI_VERSION);
	line(check, good, "interfaces of lg", text, "make && sudo rmmod lg; sudo insmod lg.ko");
}

static void check_device(struct check *check)
{
	char *full = path_of(check, LGUEST_DEVICE);
	int fd = open(full, O_RDWR | O_CLOEXEC);

	free(full);
	if (fd >= 0) {
		line(check, true, LGUEST_DEVICE, "can be opened", NULL);
		check_version(check, fd);
		close(fd);
	} else if (errno == EACCES || errno == EPERM) {
		line(check, false, LGUEST_DEVICE, "no permission",
		     "run lguest as root, or become a member of the device's group: make install has a udev rule for it; then sudo groupadd --system lguest; sudo adduser $USER lguest; sudo modprobe -r lg; sudo modprobe lg; and log in again");
	} else {
		line(check, false, LGUEST_DEVICE, strerror(errno),
		     "it is there when the module lg is loaded");
	}
}

/* Return: the exit status. */
static int print_json(const struct check *check)
{
	json_t *answer = json_pack("{s:b, s:O}", "ok", !check->failed, "checks", check->lines);

	if (answer)
		answer_print(answer);
	json_decref(answer);
	json_decref(check->lines);
	return check->failed || !answer;
}

/**
 * check_host() - tell whether this host can run guests
 * @root: the directory that holds the host's /proc, /sys, /dev and /lib: ""
 * @json: in JSON
 *
 * Return: the program's exit status: 0 if it can.
 */
int check_host(const char *root, bool json)
{
	struct check check = { .root = root, .lines = json ? json_array() : NULL };

	check_cpu(&check);
	check_kernel(&check);
	check_module(&check);
	check_device(&check);
	if (check.lines)
		return print_json(&check);
	puts(check.failed ? "This host can't run guests as it is." : "This host can run guests.");
	puts("While a guest lives, global pages are off (CR4.PGE) on the CPUs that it runs on:\n"
	     "the host's own context switches cost a little more. They come back with its end.");
	return check.failed;
}
