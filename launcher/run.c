// SPDX-License-Identifier: GPL-2.0-only
/*
 * Running the guest until it ends: the loop around LGUEST_RUN, once for each virtual CPU. The
 * main thread runs number 0. The others have threads of their own, which wait in LGUEST_RUN
 * until the guest starts their virtual CPU.
 *
 * Any virtual CPU may see the guest's end. The first one that does is remembered, and its
 * thread wakes the main thread. The main thread ends all other threads, and only then tells,
 * alone, how the guest ended.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/compiler.h"
#include "control/control.h"
#include "terminal/detach.h"
#include "last_resort.h"
#include "lguest_abi.h"
#include "base/message.h"
#include "control/notify.h"
#include "pause.h"
#include "report.h"
#include "run.h"
#include "terminal/terminal.h"
#include "base/thread.h"
#include "vm.h"
#include "xen/cpuid.h"
#include "xen/xen.h"

/* A read of an address where no register is gives 0, and a write to it is ignored. */
static void do_mmio(struct vm *vm, struct lguest_run *run)
{
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

/* Do what LGUEST_RUN has returned for. Return: false if the guest has ended. */
static bool do_exit(struct vcpu *vcpu)
{
	switch (vcpu->run->exit_reason) {
	case LGUEST_EXIT_MMIO:
		do_mmio(vcpu->vm, vcpu->run);
		return true;
	case LGUEST_EXIT_CONSOLE:
		do_console(vcpu->run);
		return true;
	case LGUEST_EXIT_HYPERCALL:
		if (!vcpu->vm->xen)
			return false;
		xen_call(vcpu->vm->xen, vcpu->run);
		return true;
	case LGUEST_EXIT_CPUID:
		xen_cpuid(vcpu->run, vcpu->number);
		return true;
	case LGUEST_EXIT_INTR:
	case LGUEST_EXIT_NONE:
		return true;
	default:
		return false;
	}
}

/* Of all virtual CPUs that see the end of the guest, the first one counts. */
static void end_by(struct vcpu *vcpu)
{
	struct vcpu *nobody = NULL;
	struct vm *vm = vcpu->vm;

	if (!atomic_compare_exchange_strong(&vm->ended_by, &nobody, vcpu))
		return;
	vm->stopping = true;
	vm_end_begins(vm);
	if (vcpu->number)
		vm_wake_main(vm);
}

static void *run_vcpu(void *argument)
{
	struct vcpu *vcpu = argument;
	struct vm *vm = vcpu->vm;

	while (!vm->leaving && !vm->stopping) {
		pause_here(vcpu);
		if (vm->leaving || vm->stopping)
			break;
		if (ioctl(vcpu->fd, LGUEST_RUN, 0) < 0) {
			/*
			 * The only signals that arrive here without ending the process are
			 * wake-ups.
			 */
			if (errno == EINTR || errno == EAGAIN)
				continue;
			vcpu->error = errno;
		} else if (do_exit(vcpu)) {
			continue;
		}
		end_by(vcpu);
		break;
	}
	return NULL;
}

static int start_others(struct vm *vm)
{
	unsigned int i;
	int error = 0;

	for (i = 1; !error && i < vm->vcpus; i++)
		error = thread_start(&vm->vcpu[i].thread, run_vcpu, &vm->vcpu[i]);
	return error;
}

static void stop_others(struct vm *vm)
{
	unsigned int i;

	vm->stopping = true;
	vm_end_begins(vm);
	for (i = 1; i < vm->vcpus; i++)
		WRITE_ONCE(vm->vcpu[i].run->immediate_exit, 1);
	for (i = 1; i < vm->vcpus; i++)
		thread_join(&vm->vcpu[i].thread);
}

static enum run_end do_shutdown(struct vcpu *vcpu)
{
	struct lguest_run *run = vcpu->run;

	run->shutdown.message[sizeof(run->shutdown.message) - 1] = '\0';
	switch (run->shutdown.reason) {
	case LGUEST_SHUTDOWN_POWEROFF:
		return RUN_POWEROFF;
	case LGUEST_SHUTDOWN_RESTART:
		return RUN_RESTART;
	default:
		report_crash(vcpu, "the guest's kernel panicked", run->shutdown.message);
		return RUN_CRASHED;
	}
}

static enum run_end do_killed(struct vcpu *vcpu)
{
	struct lguest_run *run = vcpu->run;

	run->killed.reason[sizeof(run->killed.reason) - 1] = '\0';
	report_crash(vcpu, "the host ended the guest", run->killed.reason);
	return RUN_CRASHED;
}

/* Find out how the guest ended, and tell the person if it ended badly. No virtual CPU runs. */
static enum run_end tell_end(struct vm *vm)
{
	struct vcpu *vcpu = vm->ended_by;

	if (!vcpu)
		return RUN_LEFT;
	if (vcpu->error) {
		report_crash(vcpu, "the host can't run the guest", strerror(vcpu->error));
		return RUN_CRASHED;
	}
	switch (vcpu->run->exit_reason) {
	case LGUEST_EXIT_SHUTDOWN:
		return do_shutdown(vcpu);
	case LGUEST_EXIT_KILLED:
		return do_killed(vcpu);
	default:
		report_crash(vcpu, "the host has a reason to stop the guest that is unknown here",
			     "build lg.ko and lguest from the same tree");
		return RUN_CRASHED;
	}
}

/**
 * run_guest() - run the guest until it ends
 * @vm: as vm_start() left it
 *
 * Return: how it ended; the threads of its virtual CPUs are gone.
 */
enum run_end run_guest(struct vm *vm)
{
	int error;

	vm_set_running(vm, true);
	message_limit(true);
	error = start_others(vm);
	if (!error) {
		control_guest(vm);
		detach_done(control_name());
		notify_ready();
		run_vcpu(&vm->vcpu[0]);
	}
	stop_others(vm);
	vm_set_running(vm, false);
	/* Messages may take their time from here on; vm_exit() sets another limit. */
	last_resort_off();
	message_limit(false);
	/* Not before vm_set_running(): end_guest() keeps the lock as long as the guest runs. */
	control_guest(NULL);
	return error ? RUN_NOT_STARTED : tell_end(vm);
}
