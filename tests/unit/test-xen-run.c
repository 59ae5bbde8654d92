// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest of Xen's ABI from the command line to its end, with fake_lg.c as lg.ko.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/compiler.h"
#include "fake_lg.h"
#include "images.h"
#include "lguest_abi.h"
#include "option/config.h"
#include "option/options.h"
#include "start.h"
#include "unit.h"
#include "wrap.h"
#include "xen/abi.h"
#include "xen/port.h"

#define SIZE	(64ULL << 20)

/* What lg.ko has been told since the VM was made, in this order. */
static enum { NOTHING, ABI, MEMORY, AREA, SETUP, VCPU } told;
static uint8_t *memory, *area;
static struct lguest_run *run;
static struct lguest_regs regs;
#define PORTS	8
static int kick[PORTS], raised[PORTS];	/* eventfds of ports; 0: not connected */
static unsigned int boots, steps, vms;
static bool has_disk, has_card;

static void set_memory(const struct lguest_memory *given)
{
	if (!given->guest_phys) {
		ck_assert_int_eq(told, ABI);
		ck_assert_uint_eq(given->size, SIZE);
		memory = (uint8_t *)(uintptr_t)given->host_virt;
		told = MEMORY;
		return;
	}
	ck_assert_int_eq(told, MEMORY);
	ck_assert_uint_eq(given->guest_phys, SIZE);
	area = (uint8_t *)(uintptr_t)given->host_virt;
	told = AREA;
}

static void connect_port(int *descriptor, uint64_t port, int fd, bool gone)
{
	ck_assert_uint_lt(port, PORTS);
	/* What is connected is disconnected, in the VM that it was connected in. */
	ck_assert_int_eq(descriptor[port], gone ? fd : 0);
	if (gone)
		ck_assert_int_ge(fcntl(vms < 2 ? VM_FD : OTHER_VM_FD, F_GETFD), 0);
	descriptor[port] = gone ? 0 : fd;
}

int fake_vm_ioctl(unsigned long request, void *argument)
{
	const struct lguest_ioeventfd *kicks = argument;
	const struct lguest_irqfd *raises = argument;

	switch (request) {
	case LGUEST_SET_ABI:
		/* Another VM: the ports that are always there are not disconnected before. */
		vms++;
		ck_assert_int_eq(raised[3] | kick[3], 0);
		memset(kick, 0, sizeof(kick));
		memset(raised, 0, sizeof(raised));
		ck_assert_uint_eq((uintptr_t)argument, LGUEST_ABI_XEN);
		told = ABI;
		return 0;
	case LGUEST_SET_MEMORY:
		set_memory(argument);
		return 0;
	case LGUEST_XEN_SETUP:
		ck_assert_int_eq(told, AREA);
		ck_assert_uint_eq(((struct lguest_xen_setup *)argument)->shared_info, SIZE);
		told = SETUP;
		return 0;
	case LGUEST_CREATE_VCPU:
		ck_assert_int_eq(told, SETUP);
		told = VCPU;
		run = fake_vcpu(0);
		return VCPU_FD;
	case LGUEST_IRQFD:
		connect_port(raised, raises->line, raises->fd, raises->flags & LGUEST_IRQFD_DEASSIGN);
		return 0;
	case LGUEST_IOEVENTFD:
		ck_assert(kicks->flags & LGUEST_IOEVENTFD_PORT);
		connect_port(kick, kicks->value, kicks->fd,
			     kicks->flags & LGUEST_IOEVENTFD_DEASSIGN);
		return 0;
	default:
		errno = ENOTTY;
		return -1;
	}
}

static const struct xen_start_info *info(void)
{
	return (void *)(memory + (regs.rsi - XEN_KERNEL_MAP));
}

static void send_on(uint32_t port)
{
	uint64_t one = 1;

	ck_assert_int_eq(write(kick[port], &one, sizeof(one)), sizeof(one));
}

static void hears_of(uint32_t port)
{
	struct pollfd poll_fd = { .fd = raised[port], .events = POLLIN };
	uint64_t count;

	ck_assert_int_eq(poll(&poll_fd, 1, 5000), 1);
	ck_assert_int_eq(read(raised[port], &count, sizeof(count)), sizeof(count));
}

static void print(const char *text)
{
	struct xen_console_ring *ring = (void *)(memory + info()->console_frame * PAGE_SIZE);
	uint32_t prod = READ_ONCE(ring->out_prod);

	for (; *text; text++)
		ring->out[prod++ % sizeof(ring->out)] = *text;
	__atomic_store_n(&ring->out_prod, prod, __ATOMIC_SEQ_CST);
	send_on(XEN_CONSOLE_PORT);
	hears_of(XEN_CONSOLE_PORT);
}

static struct xen_store_ring *store_ring(void)
{
	return (void *)(memory + info()->store_frame * PAGE_SIZE);
}

/* A request to the store, and the start of its answer. */
static void ask_store(uint32_t type, const char *text, uint32_t size, char *answer, uint32_t room)
{
	const uint32_t header[] = { type, 9, 0, size };
	struct xen_store_ring *ring = store_ring();
	char message[XEN_STORE_RING];
	uint32_t i, prod;

	memcpy(message, header, sizeof(header));
	memcpy(message + sizeof(header), text, size);
	for (i = 0; i < sizeof(header) + size; i++)
		ring->request[(ring->request_prod + i) % XEN_STORE_RING] = message[i];
	__atomic_add_fetch(&ring->request_prod, sizeof(header) + size, __ATOMIC_SEQ_CST);
	send_on(XEN_STORE_PORT);
	while ((prod = __atomic_load_n(&ring->answer_prod, __ATOMIC_ACQUIRE)) == ring->answer_cons)
		hears_of(XEN_STORE_PORT);
	for (i = 0; i < room; i++)
		answer[i] = ring->answer[(ring->answer_cons + i) % XEN_STORE_RING];
	__atomic_store_n(&ring->answer_cons, prod, __ATOMIC_SEQ_CST);
}

static void read_name(void)
{
	char answer[16 + 6];

	ask_store(2, "name", 5, answer, sizeof(answer));
	ck_assert_mem_eq(answer + 16, "lguest", 6);
}

static void write_store(const char *device, const char *name, const char *value)
{
	char text[64], answer[16 + 3];
	int size = snprintf(text, sizeof(text), "device/%s/%s", device, name) + 1;

	strcpy(text + size, value);
	ask_store(11, text, size + strlen(value), answer, sizeof(answer));
	ck_assert_str_eq(answer + 16, "OK");
}

/* As xen-blkfront does, with a free page for the ring, which is grant 8. */
static void connect_disk(void)
{
	struct xen_grant_entry *grants = (void *)(area + PAGE_SIZE);

	grants[8] = (struct xen_grant_entry){ XEN_GRANT_ACCESS, XEN_BACKEND, SIZE / PAGE_SIZE - 1 };
	write_store("vbd/51712", "ring-ref", "8");
	write_store("vbd/51712", "event-channel", "2");
	write_store("vbd/51712", "state", "3");
	ck_assert_ptr_nonnull(strstr(unit_last_message, "no port of its own"));
	unit_forget();
	ck_assert_uint_eq(grants[8].flags, XEN_GRANT_ACCESS);
	write_store("vbd/51712", "event-channel", "3");
	write_store("vbd/51712", "state", "3");
	ck_assert_int_ne(raised[3], 0);
	ck_assert_int_ne(kick[3], 0);
	ck_assert_uint_eq(grants[8].flags, XEN_GRANT_ACCESS | XEN_GRANT_IN_USE);
	/* It begins anew, without a word of an end. */
	write_store("vbd/51712", "state", "1");
	ck_assert_int_eq(raised[3] | kick[3], 0);
	ck_assert_uint_eq(grants[8].flags, XEN_GRANT_ACCESS);
	write_store("vbd/51712", "state", "3");
	ck_assert_int_ne(raised[3], 0);
}

/* As xen-netfront does, with two rings, which are grants 9 and 10. */
static void connect_card(void)
{
	struct xen_grant_entry *grants = (void *)(area + PAGE_SIZE);
	char answer[16 + 17];

	ask_store(2, "device/vif/0/mac", sizeof("device/vif/0/mac"), answer, sizeof(answer));
	ck_assert_mem_eq(answer + 16, "52:54:00:12:34:56", 17);
	grants[9] = (struct xen_grant_entry){ XEN_GRANT_ACCESS, XEN_BACKEND, SIZE / PAGE_SIZE - 1 };
	grants[10] = (struct xen_grant_entry){ XEN_GRANT_ACCESS, XEN_BACKEND, SIZE / PAGE_SIZE - 2 };
	write_store("vif/0", "tx-ring-ref", "9");
	write_store("vif/0", "rx-ring-ref", "10");
	write_store("vif/0", "event-channel-tx", "5");
	write_store("vif/0", "event-channel-rx", "2");
	write_store("vif/0", "state", "4");
	ck_assert_ptr_nonnull(strstr(unit_last_message, "does not have packets copied"));
	write_store("vif/0", "request-rx-copy", "1");
	write_store("vif/0", "state", "4");
	ck_assert_ptr_nonnull(strstr(unit_last_message, "no port of its own"));
	/* Nothing is half connected. */
	ck_assert_int_eq(raised[5] | kick[5], 0);
	ck_assert_uint_eq(grants[9].flags | grants[10].flags, XEN_GRANT_ACCESS);
	unit_forget();
	write_store("vif/0", "event-channel-rx", "6");
	write_store("vif/0", "state", "4");
	ck_assert(raised[5] && kick[5] && raised[6] && kick[6]);
	ck_assert_uint_eq(grants[9].flags, XEN_GRANT_ACCESS | XEN_GRANT_IN_USE);
	ck_assert_uint_eq(grants[10].flags, XEN_GRANT_ACCESS | XEN_GRANT_IN_USE);
	write_store("vif/0", "state", "6");
	ck_assert_int_eq(raised[5] | kick[5] | raised[6] | kick[6], 0);
	ck_assert_uint_eq(grants[9].flags | grants[10].flags, XEN_GRANT_ACCESS);
	write_store("vif/0", "state", "1");
	write_store("vif/0", "state", "4");
	ck_assert_int_ne(raised[6], 0);
}

static int step(void)
{
	steps++;
	if (steps == 1) {
		ck_assert_uint_eq(regs.rip, IMAGE_ENTRY);
		ck_assert_uint_eq(regs.rsp % PAGE_SIZE, 0);
		ck_assert_uint_eq(area[2560], 0xff);
		ck_assert_str_eq(info()->command_line, "console=hvc0  quiet");
		run->exit_reason = LGUEST_EXIT_HYPERCALL;
		run->hypercall.nr = XEN_XEN_VERSION;
		run->hypercall.arg[0] = XEN_PAGE_SIZE;
		return 0;
	}
	if (steps == 2) {
		ck_assert_int_eq(run->hypercall.result, 4096);
		run->exit_reason = LGUEST_EXIT_CPUID;
		run->cpuid.leaf = 0x40000000;
		return 0;
	}
	ck_assert_uint_eq(run->cpuid.ebx, 0x566e6558);
	print(boots ? "second boot\n" : "first boot\n");
	read_name();
	if (has_disk)
		connect_disk();
	if (has_card)
		connect_card();
	steps = 0;
	run->exit_reason = LGUEST_EXIT_SHUTDOWN;
	run->shutdown.reason = boots++ ? LGUEST_SHUTDOWN_POWEROFF : LGUEST_SHUTDOWN_RESTART;
	return 0;
}

int fake_vcpu_ioctl(unsigned int number, unsigned long request, void *argument)
{
	ck_assert_uint_eq(number, 0);
	switch (request) {
	case LGUEST_SET_REGS:
		regs = *(struct lguest_regs *)argument;
		return 0;
	case LGUEST_RUN:
		return step();
	default:
		return 0;
	}
}

static char *make_kernel(void)
{
	struct bytes elf = image_xen_elf(5000);
	static char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/kernel", unit_directory());
	file = fopen(path, "w");
	ck_assert_uint_eq(fwrite(elf.at, 1, elf.size, file), elf.size);
	fclose(file);
	image_free(elf);
	return path;
}

static int launch(char **words, int count)
{
	struct options options;

	memset(kick, 0, sizeof(kick));
	memset(raised, 0, sizeof(raised));
	ck_assert_msg(!options_parse(&options, count, words), "%s", unit_last_message);
	close(STDIN_FILENO);
	ck_assert_int_eq(open("/dev/null", O_RDWR), STDIN_FILENO);
	/* lg.ko is in this process, and needs more than the launcher. */
	options.no_sandbox = true;
	return start_guest(&options, NULL);
}

START_TEST(guest_of_xen_boots_twice)
{
	char *words[] = { "lguest", "64m", make_kernel(), "quiet", NULL };
	int output = catch_output(O_NONBLOCK);
	char text[256] = "";

	ck_assert_int_eq(launch(words, ARRAY_SIZE(words) - 1), 0);
	ck_assert_uint_eq(boots, 2);
	ck_assert_int_gt(read(output, text, sizeof(text) - 1), 0);
	ck_assert_str_eq(text, "first boot\nsecond boot\n");
}
END_TEST

/* And so its port is connected twice. */
START_TEST(disk_is_connected_at_each_start)
{
	char disk[64], option[80];
	char *words[] = { "lguest", option, "64m", make_kernel(), "quiet", NULL };
	int output = catch_output(O_NONBLOCK), file;

	snprintf(disk, sizeof(disk), "%s/disk", unit_directory());
	snprintf(option, sizeof(option), "--block=%s", disk);
	file = open(disk, O_RDWR | O_CREAT, 0600);
	ck_assert_int_eq(ftruncate(file, 1 << 20), 0);
	close(file);
	has_disk = true;
	ck_assert_int_eq(launch(words, ARRAY_SIZE(words) - 1), 0);
	ck_assert_uint_eq(boots, 2);
	ck_assert_int_eq(raised[3] | kick[3], 0);
	close(output);
}
END_TEST

START_TEST(card_is_connected_at_each_start)
{
	char option[100];
	char *words[] = { "lguest", option, "64m", make_kernel(), "quiet", NULL };
	int output = catch_output(O_NONBLOCK);

	snprintf(option, sizeof(option), "--net=socket:%s/cable,mac=52:54:00:12:34:56",
		 unit_directory());
	has_card = true;
	ck_assert_int_eq(launch(words, ARRAY_SIZE(words) - 1), 0);
	ck_assert_uint_eq(boots, 2);
	ck_assert_int_eq(raised[5] | kick[5] | raised[6] | kick[6], 0);
	close(output);
}
END_TEST

START_TEST(port_is_connected_whole_or_not_at_all)
{
	struct xen_port port;

	ck_assert_int_eq(xen_port_init(&port), 0);
	ck_assert_int_eq(dup2(STDOUT_FILENO, VM_FD), VM_FD);
	fake_lg.fail = LGUEST_IOEVENTFD;
	ck_assert_int_eq(xen_port_connect(&port, VM_FD, 3), -ENOSPC);
	ck_assert_int_eq(raised[3], 0);
	xen_port_exit(&port);
}
END_TEST

START_TEST(devices_are_refused_before_all_else)
{
	char *words[] = { "lguest", "--vsock=5", "64m", make_kernel(), NULL };

	ck_assert_int_ne(launch(words, ARRAY_SIZE(words) - 1), 0);
	ck_assert_ptr_nonnull(strstr(unit_last_message, "--vsock=5 does not go with the kernel"));
	ck_assert_int_eq(told, NOTHING);
	unit_forget();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("running Xen's guests");

	UNIT_ADD(suite, guest_of_xen_boots_twice);
	UNIT_ADD(suite, disk_is_connected_at_each_start);
	UNIT_ADD(suite, card_is_connected_at_each_start);
	UNIT_ADD(suite, port_is_connected_whole_or_not_at_all);
	UNIT_ADD(suite, devices_are_refused_before_all_else);
	return unit_run(suite);
}
