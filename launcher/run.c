// SPDX-License-Identifier: GPL-2.0-only
/*
 * Running the Guest until it ends: the loop around LGUEST_RUN.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "lguest_abi.h"
#include "message.h"
#include "report.h"
#include "run.h"
#include "terminal.h"
#include "vm.h"

/* What is nobody's register reads as 0, and is not written. */
static void do_mmio(struct vm *vm)
{
	struct lguest_run *run = vm->run;
	struct virtio_device *device;
	uint64_t offset;

	device = vm_find_device(vm, run->mmio.guest_phys, &offset);
	if (!run->mmio.is_write)
		run->mmio.data = device ? virtio_mmio_read(device, offset, run->mmio.length) : 0;
	else if (device)
		virtio_mmio_write(device, offset, run->mmio.length, run->mmio.data);
}

static void do_console(struct lguest_run *run)
{
	uint32_t length = run->console.length;

	if (length > sizeof(run->console.data))
		length = sizeof(run->console.data);
	terminal_write_early(run->console.data, length);
}

static enum run_end do_shutdown(struct vm *vm)
{
	struct lguest_run *run = vm->run;

	run->shutdown.message[sizeof(run->shutdown.message) - 1] = '\0';
	switch (run->shutdown.reason) {
	case LGUEST_SHUTDOWN_POWEROFF:
		return RUN_POWEROFF;
	case LGUEST_SHUTDOWN_RESTART:
		return RUN_RESTART;
	default:
		report_crash(vm, "the guest's kernel panicked", run->shutdown.message);
		return RUN_CRASHED;
	}
}

static enum run_end do_killed(struct vm *vm)
{
	struct lguest_run *run = vm->run;

	run->killed.reason[sizeof(run->killed.reason) - 1] = '\0';
	report_crash(vm, "the host ended the guest", run->killed.reason);
	return RUN_CRASHED;
}

/**
 * run_guest() - run the Guest until it ends
 * @vm: as vm_start() left it
 *
 * Return: how it ended.
 */
enum run_end run_guest(struct vm *vm)
{
	for (;;) {
		if (vm->leaving)
			return RUN_LEFT;
		if (ioctl(vm->vcpu_fd, LGUEST_RUN, 0) < 0) {
			/* The only signals that come here and go on are wake-ups. */
			if (errno == EINTR || errno == EAGAIN)
				continue;
			report_crash(vm, "the host can't run the guest", strerror(errno));
			return RUN_CRASHED;
		}
		switch (vm->run->exit_reason) {
		case LGUEST_EXIT_MMIO:
			do_mmio(vm);
			break;
		case LGUEST_EXIT_CONSOLE:
			do_console(vm->run);
			break;
		case LGUEST_EXIT_SHUTDOWN:
			return do_shutdown(vm);
		case LGUEST_EXIT_KILLED:
			return do_killed(vm);
		case LGUEST_EXIT_INTR:
		case LGUEST_EXIT_NONE:
			break;
		default:
			report_crash(vm, "the host has a reason to stop the guest that is unknown here",
				     "build lg.ko and lguest from the same tree");
			return RUN_CRASHED;
		}
	}
}
