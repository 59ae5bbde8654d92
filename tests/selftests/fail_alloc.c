// SPDX-License-Identifier: GPL-2.0-only
/*
 * fail_alloc: a host without memory says so and loses nothing.
 *
 * For each call of the launcher's: the kernel lets the first allocation fail that the call
 * makes, then, in a fresh VM, the second, and so on until it makes no more. Each time it must
 * end with ENOMEM, or do its work all the same; and when the host has memory again, the same
 * call on the same VM must do its work. Fails on another errno, on a VM that is not whole
 * afterwards, when the module stays in use, when a guest does not run in the end, or when the
 * host warns (its kmemleak, too).
 *
 * Needs a kernel with CONFIG_FAILSLAB, CONFIG_FAIL_PAGE_ALLOC, CONFIG_FAULT_INJECTION_DEBUG_FS
 * (Documentation/fault-injection/fault-injection.rst), which distributions do not have. With
 * CONFIG_FAULT_INJECTION_USERCOPY, copying from or to the launcher counts as an allocation, and
 * EFAULT is as good.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap.h"
#include "vm.h"

#define DEBUG		"/sys/kernel/debug"
#define MOST		2000	/* allocations of a call */
#define PAGES		64	/* that the guest touches */
#define EVENT_GPA	0xd0000000ULL

/* %rsi pages from %rdi on are written to. */
asm("	.section .rodata\n"
    "code_write:\n"
    "1:	mov	%rsi, (%rdi)\n"
    "	add	$4096, %rdi\n"
    "	dec	%rsi\n"
    "	jnz	1b\n"
    "	mov	$3, %eax\n"	/* LHCALL_SHUTDOWN */
    "	mov	$1, %edi\n"	/* LGUEST_SHUTDOWN_POWEROFF */
    "	syscall\n"
    "code_write_end:\n"
    "	.text\n");
extern const char code_write[], code_write_end[];
_Static_assert(LHCALL_SHUTDOWN == 3 && LGUEST_SHUTDOWN_POWEROFF == 1, "as in the code above");

static int fail_nth = -1;
static bool usercopy_fails;	/* as an allocation does, on a kernel that lets it */

/* --- The kernel's side ------------------------------------------------------------------ */

static bool put(const char *name, const char *value)
{
	char path[128];
	int fd;
	bool good;

	snprintf(path, sizeof(path), DEBUG "/%s", name);
	fd = open(path, O_WRONLY);
	good = fd >= 0 && write(fd, value, strlen(value)) > 0;
	if (fd >= 0)
		close(fd);
	return good;
}

/* Return: NULL, or why this kernel can't let allocations fail. */
static const char *prepare(void)
{
	fail_nth = open("/proc/self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fail_nth < 0)
		return "the host's kernel has no CONFIG_FAULT_INJECTION";
	if (access(DEBUG "/failslab", F_OK))
		mount("debugfs", DEBUG, "debugfs", 0, NULL);
	/* Those that may sleep, too, which are most; and any size. */
	if (!put("failslab/ignore-gfp-wait", "N"))
		return "the host's kernel has no CONFIG_FAILSLAB";
	if (!put("fail_page_alloc/ignore-gfp-wait", "N") || !put("fail_page_alloc/min-order", "0"))
		return "the host's kernel has no CONFIG_FAIL_PAGE_ALLOC";
	put("fail_page_alloc/ignore-gfp-highmem", "N");
	/* A trace of each would look like a complaint. */
	put("failslab/verbose", "0");
	usercopy_fails = put("fail_usercopy/verbose", "0");
	put("fail_page_alloc/verbose", "0");
	return NULL;
}

/*
 * The nth allocation of this task fails, from now on; 0: none. Where copies from user memory
 * count, this very write may be the one that fails, and then nothing is left to fail.
 */
static void fail(unsigned int nth)
{
	char text[16];
	int size = snprintf(text, sizeof(text), "%u", nth);

	if (pwrite(fail_nth, text, size, 0) != size &&
	    (errno != EFAULT || pwrite(fail_nth, text, size, 0) != size)) {
		perror("fail-nth");
		exit(TAP_FAIL);
	}
}

/* Has the allocation failed? None fails any more. */
static bool has_failed(void)
{
	char text[16] = "";
	bool failed = pread(fail_nth, text, sizeof(text) - 1, 0) > 0 && atoi(text) == 0;

	fail(0);
	return failed;
}

/* --- The calls -------------------------------------------------------------------------- */

/* What a call needs, made while all is well. */
struct setting {
	struct vm vm;
	int event;
	int fd;			/* that the call gave, or -1 */
	void *page;		/* that it mapped, or NULL */
};

static long call_on(int fd, unsigned long command, const void *argument)
{
	long ret = ioctl(fd, command, argument);

	return ret < 0 ? -errno : ret;
}

static long do_open(struct setting *setting)
{
	setting->fd = open(LGUEST_DEVICE, O_RDWR | O_CLOEXEC);
	return setting->fd < 0 ? -errno : 0;
}

static long do_get_info(struct setting *setting)
{
	struct lguest_info info;

	return call_on(setting->vm.fd, LGUEST_GET_INFO, &info);
}

static long do_create_vm(struct setting *setting)
{
	setting->fd = call_on(setting->vm.fd, LGUEST_CREATE_VM, NULL);
	return setting->fd < 0 ? setting->fd : 0;
}

/* Above the VM's own. */
static long do_set_memory(struct setting *setting)
{
	struct lguest_memory memory = {
		.guest_phys = 64 << 20, .size = VM_SIZE,
		.host_virt = (uintptr_t)setting->vm.memory,
	};

	return call_on(setting->vm.fd, LGUEST_SET_MEMORY, &memory);
}

static long do_create_vcpu(struct setting *setting)
{
	setting->fd = call_on(setting->vm.fd, LGUEST_CREATE_VCPU, (void *)1);
	return setting->fd < 0 ? setting->fd : 0;
}

static long do_map_run_page(struct setting *setting)
{
	setting->page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
			     setting->vm.vcpu_fd, 0);
	if (setting->page != MAP_FAILED)
		return 0;
	setting->page = NULL;
	return -errno;
}

static long irqfd(struct setting *setting, uint32_t flags)
{
	struct lguest_irqfd irqfd = { .fd = setting->event, .line = 5, .flags = flags };

	return call_on(setting->vm.fd, LGUEST_IRQFD, &irqfd);
}

static long do_irqfd(struct setting *setting) { return irqfd(setting, 0); }
static long do_irqfd_away(struct setting *setting) { return irqfd(setting, LGUEST_IRQFD_DEASSIGN); }

static long ioeventfd(struct setting *setting, uint32_t flags)
{
	struct lguest_ioeventfd ioeventfd = {
		.guest_phys = EVENT_GPA, .fd = setting->event, .value = 1, .flags = flags,
	};

	return call_on(setting->vm.fd, LGUEST_IOEVENTFD, &ioeventfd);
}

static long do_ioeventfd(struct setting *setting) { return ioeventfd(setting, 0); }
static long do_ioeventfd_away(struct setting *setting) { return ioeventfd(setting, LGUEST_IOEVENTFD_DEASSIGN); }

static long do_irq_line(struct setting *setting)
{
	return call_on(setting->vm.fd, LGUEST_IRQ_LINE, (void *)5);
}

static long do_pause(struct setting *setting)
{
	return call_on(setting->vm.fd, LGUEST_PAUSE, (void *)1);
}

static long do_go_on(struct setting *setting)
{
	return call_on(setting->vm.fd, LGUEST_PAUSE, NULL);
}

static long do_set_shadow_limit(struct setting *setting)
{
	return call_on(setting->vm.fd, LGUEST_SET_SHADOW_LIMIT, (void *)1000);
}

static long do_set_regs(struct setting *setting)
{
	return vm_start_at(&setting->vm, VM_KERNEL + VM_CODE);
}

static long do_get_regs(struct setting *setting)
{
	struct lguest_regs regs;

	return call_on(setting->vm.vcpu_fd, LGUEST_GET_REGS, &regs);
}

static long do_get_stats(struct setting *setting)
{
	struct lguest_stats stats;

	return call_on(setting->vm.vcpu_fd, LGUEST_GET_STATS, &stats);
}

static int put_guest(struct vm *vm)
{
	struct lguest_regs regs = {
		.rip = VM_KERNEL + VM_CODE, .rsp = VM_KERNEL + VM_STACK_TOP, .rflags = 2,
		.cr3 = VM_PML4, .kernel_mode = 1, .rdi = VM_USER, .rsi = PAGES,
	};

	memcpy(vm->memory + VM_CODE, code_write, code_write_end - code_write);
	return call_on(vm->vcpu_fd, LGUEST_SET_REGS, &regs);
}

/* To its end. An interruption is no failure: the launcher calls again. */
static long do_run(struct setting *setting)
{
	long ret;

	do {
		ret = call_on(setting->vm.vcpu_fd, LGUEST_RUN, NULL);
	} while (ret == -EINTR);
	if (!ret && setting->vm.run->exit_reason == LGUEST_EXIT_KILLED)
		tap_note("killed: %s", setting->vm.run->killed.reason);
	if (!ret && (setting->vm.run->exit_reason != LGUEST_EXIT_SHUTDOWN ||
		     setting->vm.run->shutdown.reason != LGUEST_SHUTDOWN_POWEROFF))
		return -EIO;
	return ret;
}

/* --- One after the other ---------------------------------------------------------------- */

struct call {
	const char *name;
	long (*make)(struct setting *setting);
	long (*before)(struct setting *setting);	/* what must be there, or NULL */
};

static bool begin(struct setting *setting, const struct call *call)
{
	long ret;

	setting->fd = -1;
	setting->page = NULL;
	setting->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	ret = vm_make(&setting->vm);
	if (!ret)
		ret = put_guest(&setting->vm);
	if (!ret && call->before)
		ret = call->before(setting);
	if (ret)
		tap_note("%s: what it needs can't be made: %s", call->name, strerror(-ret));
	return !ret;
}

static void end(struct setting *setting)
{
	if (setting->fd >= 0)
		close(setting->fd);
	if (setting->page)
		munmap(setting->page, 4096);
	if (setting->event >= 0)
		close(setting->event);
	vm_end(&setting->vm);
}

/* With the nth allocation failing. Return: is there any more to try? *good: as promised. */
static bool try(const struct call *call, unsigned int nth, bool *good)
{
	struct setting setting;
	bool failed = false;
	long ret;

	*good = begin(&setting, call);
	if (*good) {
		fail(nth);
		ret = call->make(&setting);
		failed = has_failed();
		if (ret && !(failed && (ret == -ENOMEM || (usercopy_fails && ret == -EFAULT)))) {
			tap_note("%s, allocation %u: %ld (%s)", call->name, nth, ret, strerror(-ret));
			*good = false;
		} else if (ret && (ret = call->make(&setting))) {
			tap_note("%s, once more after allocation %u failed: %ld (%s)", call->name,
				 nth, ret, strerror(-ret));
			*good = false;
		}
	}
	end(&setting);
	return *good && failed;
}

static void check_call(const struct call *call)
{
	unsigned int nth = 1;
	bool good;

	while (nth < MOST && try(call, nth, &good))
		nth++;
	tap_note("%s: %u allocations", call->name, nth - 1);
	tap_result(good && nth < MOST, "%s_without_memory", call->name);
	tap_result(module_unused(), "%s_loses_no_vm", call->name);
}

int main(void)
{
	static const struct call calls[] = {
		{ "open", do_open, NULL },
		{ "get_info", do_get_info, NULL },
		{ "create_vm", do_create_vm, NULL },
		{ "set_memory", do_set_memory, NULL },
		{ "create_vcpu", do_create_vcpu, NULL },
		{ "map_run_page", do_map_run_page, NULL },
		{ "irqfd", do_irqfd, NULL },
		{ "irqfd_away", do_irqfd_away, do_irqfd },
		{ "ioeventfd", do_ioeventfd, NULL },
		{ "ioeventfd_away", do_ioeventfd_away, do_ioeventfd },
		{ "irq_line", do_irq_line, NULL },
		{ "pause", do_pause, NULL },
		{ "go_on", do_go_on, do_pause },
		{ "set_shadow_limit", do_set_shadow_limit, NULL },
		{ "set_regs", do_set_regs, NULL },
		{ "get_regs", do_get_regs, NULL },
		{ "get_stats", do_get_stats, NULL },
		{ "run", do_run, NULL },
	};
	const char *why = module_refcnt() < 0 ? "lg.ko is not loaded" : prepare();
	struct setting setting;
	unsigned int i;

	if (why)
		return tap_missing(why);
	for (i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		check_call(&calls[i]);
	tap_result(begin(&setting, &calls[0]) && !do_run(&setting), "a_guest_runs_in_the_end");
	end(&setting);
	return tap_end();
}
