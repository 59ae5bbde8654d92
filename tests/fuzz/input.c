// SPDX-License-Identifier: GPL-2.0-only
/* What all fuzzers share: the input, and the limits on what they may do to this machine. */
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/compiler.h"
#include "input.h"
#include "base/message.h"

unsigned int messages;
static const uint8_t *at;
static size_t left;

void input_begin(const uint8_t *data, size_t size)
{
	at = data;
	left = size;
}

bool input_over(void)
{
	return !left;
}

size_t input_left(void)
{
	return left;
}

/* Take bytes from the input; the rest of @to is 0. Return: how many the input had. */
size_t input_bytes(void *to, size_t size)
{
	size_t part = size < left ? size : left;

	memset(to, 0, size);
	if (part)
		memcpy(to, at, part);
	at += part;
	left -= part;
	return part;
}

uint8_t input_byte(void)
{
	uint8_t value;

	input_bytes(&value, sizeof(value));
	return value;
}

uint16_t input_16(void)
{
	uint16_t value;

	input_bytes(&value, sizeof(value));
	return value;
}

uint32_t input_32(void)
{
	uint32_t value;

	input_bytes(&value, sizeof(value));
	return value;
}

uint64_t input_64(void)
{
	uint64_t value;

	input_bytes(&value, sizeof(value));
	return value;
}

unsigned int input_below(unsigned int limit)
{
	return input_byte() % limit;
}

/* Return: a number that often breaks programs, a small one, or any. */
uint64_t input_nasty(void)
{
	static const uint64_t numbers[] = {
		0, 1, 0x7f, 0xff, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffff0,
		0xffffffff, 0x100000000, 0x7fffffffffffffff, 0xfffffffffffff000, 0xffffffffffffffff,
	};
	uint8_t kind = input_byte();

	if (kind < ARRAY_SIZE(numbers))
		return numbers[kind];
	return kind & 0x80 ? input_64() : kind & 0x40 ? input_16() : input_byte();
}

const char *scratch_directory(void)
{
	const char *parent = getenv("FUZZ_SCRATCH");
	static char name[128];

	snprintf(name, sizeof(name), "%s/XXXXXX", parent ? parent : "/tmp");
	if (!mkdtemp(name)) {
		perror("no directory for the fuzzer");
		exit(1);
	}
	return name;
}

static void count_message(const char *line)
{
	(void)line;
	messages++;
}

void launcher_begin(void)
{
	message_sink = count_message;
	signal(SIGPIPE, SIG_IGN);	/* as terminal_init() does */
}

#define RIGHTS	(1U << CAP_CHOWN | 1U << CAP_DAC_OVERRIDE | 1U << CAP_FOWNER | 1U << CAP_FSETID | \
		 1U << CAP_SETUID | 1U << CAP_SETGID | 1U << CAP_SYS_RESOURCE)

void rights_drop(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct rights[2] = { { 0 } };
	struct rlimit size = { 1 << 20, 1 << 20 };

	/* No file on the host may grow beyond what a test needs. */
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &size);
	if (geteuid())
		return;
	if (syscall(SYS_capget, &header, rights)) {
		perror("can't tell rights");
		exit(1);
	}
	rights[0].permitted = rights[0].effective = rights[0].permitted & RIGHTS;
	rights[1].permitted = rights[1].effective = 0;
	rights[0].inheritable = rights[1].inheritable = 0;
	if (syscall(SYS_capset, &header, rights)) {
		perror("can't give up rights");
		exit(1);
	}
}

_Noreturn void require_failed(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
	abort();
}
