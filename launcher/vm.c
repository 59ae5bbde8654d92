// SPDX-License-Identifier: GPL-2.0-only
/*
 * A virtual machine: its memory, its devices, and what lg.ko knows of it. vm_exit() is
 * vm_init() and vm_start() read backwards, however far they came.
 *
 * Everything that has a name in the host is opened before the first start of the guest, and
 * stays open for all its restarts: vm_restart() opens nothing. So a restart changes nothing in
 * the host, whatever those names lead to by then.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_mmio.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/file.h"
#include "last_resort.h"
#include "lguest_abi.h"
#include "base/message.h"
#include "terminal/terminal.h"
#include "base/thread.h"
#include "virtio/balloon.h"
#include "vm.h"
#include "xen/xen.h"

/* Device n has its registers here, and line n + 1 (0 is the timer's). */
#define DEVICE_STRIDE	0x1000ULL
#define DEVICE_GPA(n)	(LGUEST_HOLE_START + (n) * DEVICE_STRIDE)
#define DEVICE_LINE(n)	((n) + 1)

_Static_assert(VM_MAX_DEVICES < LGUEST_LINES, "each device has a line");
/* No device but the console has more than 8 queues. */
_Static_assert((VM_MAX_DEVICES - 1) * 8 + VIRTIO_MAX_QUEUES <= LGUEST_MAX_IOEVENTFD,
	       "each queue has a kick");
/*
 * How long the threads of devices may take to end when somebody ends the guest; and to end, or
 * to let go of the guest's memory, when the guest has ended itself. A disk may be slow.
 */
#define LEAVE_MS	10000
#define END_MS		30000

/* The console, the agent or a port of "lguest run", and whatever the person asks for. */
_Static_assert((2 + OPTIONS_MAX_DEVICES) * 2 + 2 <= VIRTIO_MAX_QUEUES, "each port has its queues");

/**
 * vm_wake_main() - get the main thread out of LGUEST_RUN, or keep it out
 * @vm: as vm_start() left it
 *
 * The main thread then looks whether it must end, and ends the other virtual CPUs.
 */
void vm_wake_main(struct vm *vm)
{
	WRITE_ONCE(vm->vcpu[0].run->immediate_exit, 1);
	pthread_kill(vm->vcpu[0].thread.id, SIGUSR1);
}

/**
 * vm_set_running() - say whether virtual CPUs have threads that can be woken
 * @vm: as vm_start() left it
 * @running: they have
 */
void vm_set_running(struct vm *vm, bool running)
{
	pthread_mutex_lock(&vm->lock);
	vm->running = running;
	pthread_mutex_unlock(&vm->lock);
}

/*
 * Wake the main thread if the guest runs; under the lock, since the main thread must not end
 * meanwhile.
 */
static bool wake_running(struct vm *vm)
{
	bool running;

	pthread_mutex_lock(&vm->lock);
	running = vm->running;
	if (running)
		vm_wake_main(vm);
	pthread_mutex_unlock(&vm->lock);
	return running;
}

/**
 * vm_end_begins() - let virtual CPUs go on that wait in a pause or for a device
 * @vm: its leaving or stopping is set
 */
void vm_end_begins(struct vm *vm)
{
	unsigned int i;

	pause_wake(vm);
	for (i = 0; i < vm->devices; i++)
		virtio_device_leave(&vm->device[i]);
}

/**
 * vm_leave() - end the guest at once
 * @vm: runs; the caller is not the thread of a virtual CPU
 *
 * The main thread may be in a write(), or wait for another thread's write(), and a wake-up
 * may come just before the write(): wake both again and again until the guest has ended. A
 * thread that the host's kernel does not let go ends with the process (last_resort.c).
 */
void vm_leave(struct vm *vm)
{
	vm->leaving = true;
	last_resort_in(LEAVE_MS);
	vm_end_begins(vm);
	terminal_give_up(true);
	while (wake_running(vm)) {
		usleep(10 * 1000);
		terminal_give_up(true);
	}
}

/**
 * vm_power_down() - have the guest switch itself off
 * @vm: runs
 *
 * Return: 0 when it is told, or a negative errno, as agent_power_down() and xen_power_down()
 * have them.
 */
int vm_power_down(struct vm *vm)
{
	return vm->xen ? xen_power_down(vm->xen) : agent_power_down(&vm->agent);
}

/* The console's thread calls this when the person types Ctrl-A x. */
static void leave(void *argument)
{
	vm_leave(argument);
}

/* Can somebody find the guest by its name, and ask it to end? */
static bool is_managed(const struct options *options)
{
	return !options->for_command && (options->name || options->detach);
}

static int add_device(struct vm *vm, const struct options_device *wanted)
{
	int port;

	if (!wanted->kind->add_port)
		return wanted->kind->init(&vm->device[vm->devices++], &vm->memory, wanted->value);
	port = wanted->kind->add_port(vm->console, wanted->value);
	return port < 0 ? port : 0;
}

/* Add what "lguest run" needs. */
static int add_own_devices(struct vm *vm, const struct options *options)
{
	const struct options_share *share = &options->share;
	const struct options_port *port = &options->port;
	int error = 0;

	if (share->directory)
		error = virtio_p9_init(&vm->device[vm->devices++], &vm->memory, share->directory,
				       share->tag, share->read_only);
	if (!error && port->name)
		error = virtio_console_add_socket(vm->console, port->name, port->fd);
	return error < 0 ? error : 0;
}

static int add_devices(struct vm *vm, const struct options *options)
{
	unsigned int i;
	int error;

	/* The first device: run_init.c relies on that. */
	vm->console = &vm->device[vm->devices++];
	error = virtio_console_init(vm->console, &vm->memory, leave, vm);
	if (!error)
		error = virtio_rng_init(&vm->device[vm->devices++], &vm->memory);
	if (!error) {
		vm->balloon = &vm->device[vm->devices++];
		error = virtio_balloon_init(vm->balloon, &vm->memory, options->report_free);
	}
	for (i = 0; !error && i < options->devices; i++)
		error = add_device(vm, &options->device[i]);
	if (!error)
		error = add_own_devices(vm, options);
	/* The last port, so that the others have the same names with and without it. */
	if (!error && is_managed(options))
		error = agent_init(&vm->agent, vm->console);
	return error;
}

static void init_vcpus(struct vm *vm)
{
	unsigned int i;

	for (i = 0; i < vm->vcpus; i++)
		vcpu_init(&vm->vcpu[i], vm, i);
	vm->vcpu[0].thread.id = pthread_self();
}

static bool shares_memory(const struct options *options)
{
	unsigned int i;

	for (i = 0; i < options->devices; i++)
		if (options->device[i].kind->shares_memory &&
		    options->device[i].kind->shares_memory(options->device[i].value))
			return true;
	return false;
}

/**
 * vm_init() - make all of a VM that lasts for all starts of the guest
 * @vm: filled in; vm_exit() it, whatever is returned
 * @options: what the person wants
 * @xen: the Guest speaks Xen's ABI
 *
 * Return: 0, or a negative errno after telling the person.
 */
int vm_init(struct vm *vm, const struct options *options, bool xen)
{
	int error;

	memset(vm, 0, sizeof(*vm));
	vm->fd = -1;
	vm->vcpus = options->cpus;
	init_vcpus(vm);
	pthread_mutex_init(&vm->lock, NULL);
	pause_init(&vm->pause);
	thread_take_wake_ups();
	terminal_give_up(false);
	vm->shadow = options->shadow;
	error = shares_memory(options) ? guest_memory_init_shared(&vm->memory, options->memory)
				       : guest_memory_init(&vm->memory, options->memory);
	if (!error && options->merge)
		error = guest_memory_merge(&vm->memory);
	if (!error)
		error = xen ? xen_init(&vm->xen, options, &vm->memory, leave, vm) :
			      add_devices(vm, options);
	return error;
}

/**
 * vm_describe_devices() - tell the guest's kernel of its devices
 * @vm: as vm_init() left it
 *
 * Return: arguments for the kernel, which the caller frees; NULL after telling
 * the person that there is no memory.
 */
char *vm_describe_devices(const struct vm *vm)
{
	size_t size = 0;
	unsigned int i;
	char *text;
	FILE *out;

	out = open_memstream(&text, &size);
	for (i = 0; out && i < vm->devices; i++)
		fprintf(out, "%svirtio_mmio.device=%llu@0x%llx:%u", i ? " " : "", VIRTIO_MMIO_SIZE,
			DEVICE_GPA(i), DEVICE_LINE(i));
	if (!out || fclose(out)) {
		no_memory();
		return NULL;
	}
	return text;
}

/**
 * vm_find_device() - find the device that a register belongs to
 * @vm: the VM
 * @gpa: guest physical address
 * @offset: its offset within the device's registers goes there
 *
 * Return: the device, or NULL if there is none.
 */
struct virtio_device *vm_find_device(struct vm *vm, uint64_t gpa, uint64_t *offset)
{
	uint64_t number = (gpa - LGUEST_HOLE_START) / DEVICE_STRIDE;

	*offset = gpa % DEVICE_STRIDE;
	if (gpa < LGUEST_HOLE_START || number >= vm->devices || *offset >= VIRTIO_MMIO_SIZE)
		return NULL;
	return &vm->device[number];
}

static int refuse_device(const char *path, int error)
{
	switch (error) {
	case ENOENT:
	case ENXIO:
	case ENODEV:
		return refuse(-error,
			      "there is no %s: the module lg is not loaded: make && sudo insmod lg.ko ('lguest --check' says more)",
			      path);
	case EACCES:
	case EPERM:
		return refuse(-error,
			      "no permission to open %s: run lguest as root, or become a member of its group ('lguest --check' says how)",
			      path);
	default:
		return refuse(-error, "can't open %s: %s", path, strerror(error));
	}
}

/**
 * vm_open_device() - open /dev/lguest, and check that we know its interface's version
 * @path: LGUEST_DEVICE
 * @info: what lg.ko says of itself goes there
 *
 * Return: the descriptor, or a negative errno after telling the person.
 */
int vm_open_device(const char *path, struct lguest_info *info)
{
	int fd = open(path, O_RDWR | O_CLOEXEC), error;

	if (fd < 0)
		return refuse_device(path, errno);
	if (ioctl(fd, LGUEST_GET_INFO, info) < 0) {
		error = refuse(-errno, "%s does not answer: is it lg.ko's? %s", path, strerror(errno));
		goto close;
	}
	if (info->api_version != LGUEST_API_VERSION || info->abi_version != LGUEST_ABI_VERSION) {
		error = refuse(-EPROTO,
			       "the module lg has versions %u and %u of its interfaces, this lguest %u and %u: build both from the same tree, then sudo rmmod lg; sudo insmod lg.ko",
			       info->api_version, info->abi_version, LGUEST_API_VERSION,
			       LGUEST_ABI_VERSION);
		goto close;
	}
	return fd;

close:
	close(fd);
	return error;
}

static int set_memory(struct vm *vm)
{
	struct lguest_memory low = {
		.guest_phys = 0,
		.size = vm->memory.low,
		.host_virt = (uintptr_t)vm->memory.base,
	};
	struct lguest_memory high = {
		.guest_phys = LGUEST_HOLE_END,
		.size = vm->memory.size - vm->memory.low,
		.host_virt = (uintptr_t)vm->memory.base + vm->memory.low,
	};

	if (ioctl(vm->fd, LGUEST_SET_MEMORY, &low) < 0)
		return host_refuses("the guest's memory");
	if (high.size && ioctl(vm->fd, LGUEST_SET_MEMORY, &high) < 0)
		return host_refuses("the guest's memory above 4 GiB");
	if (vm->shadow && ioctl(vm->fd, LGUEST_SET_SHADOW_LIMIT,
				(unsigned long)(vm->shadow / LGUEST_SHADOW_BYTES)) < 0)
		return host_refuses("a limit for its shadow page tables");
	return 0;
}

/* The first virtual CPU boots the guest, which starts the others when it wants to. */
static int create_vcpus(struct vm *vm, const struct boot_entry *entry)
{
	unsigned int i;
	int error = 0;

	for (i = 0; !error && i < vm->vcpus; i++)
		error = vcpu_create(&vm->vcpu[i], &vm->info);
	return error ? error : vcpu_set_entry(&vm->vcpu[0], entry);
}

/* Kicks and interrupts go by eventfd, and need no thread of a virtual CPU. */
static int connect_device(struct vm *vm, unsigned int number)
{
	struct virtio_device *device = &vm->device[number];
	struct lguest_irqfd interrupt = {
		.fd = device->interrupt,
		.line = DEVICE_LINE(number),
	};
	unsigned int i;

	if (ioctl(vm->fd, LGUEST_IRQFD, &interrupt) < 0)
		return host_refuses("a device's interrupt");
	for (i = 0; i < device->queues; i++) {
		struct lguest_ioeventfd kick = {
			.guest_phys = DEVICE_GPA(number) + VIRTIO_MMIO_QUEUE_NOTIFY,
			.fd = device->queue[i].kick,
			.value = i,
		};

		if (ioctl(vm->fd, LGUEST_IOEVENTFD, &kick) < 0)
			return host_refuses("a device's kick");
	}
	detail("%s at 0x%llx, line %u", device->ops->name, DEVICE_GPA(number), DEVICE_LINE(number));
	return 0;
}

static int start_devices(struct vm *vm)
{
	unsigned int i;
	int error = 0;

	for (i = 0; !vm->started && !error && i < vm->devices; i++)
		error = virtio_device_start(&vm->device[i]);
	vm->started = true;
	return error;
}

/**
 * vm_open() - open lg.ko's device, if it is not open
 * @vm: as vm_init() left it
 *
 * Return: 0, or a negative errno after telling the person.
 */
int vm_open(struct vm *vm)
{
	if (vm->fd < 0)
		vm->fd = vm_open_device(LGUEST_DEVICE, &vm->info);
	return vm->fd < 0 ? vm->fd : 0;
}

/**
 * vm_start() - tell lg.ko of the guest, and start its devices
 * @vm: as vm_init() or vm_restart() left it, with the guest in its memory
 * @entry: where the guest starts
 *
 * Return: 0, or a negative errno after telling the person.
 */
int vm_start(struct vm *vm, const struct boot_entry *entry)
{
	unsigned int i;
	int error = vm_open(vm);

	if (!error && vm->xen)
		error = xen_choose(vm->fd);
	if (!error)
		error = set_memory(vm);
	if (!error && vm->xen)
		error = xen_set_up(vm->xen, vm->fd);
	if (!error)
		error = create_vcpus(vm, entry);
	for (i = 0; !error && i < vm->devices; i++)
		error = connect_device(vm, i);
	if (error)
		return error;
	terminal_raw();
	return vm->xen ? xen_start(vm->xen, vm->fd) : start_devices(vm);
}

static void exit_vcpus(struct vm *vm)
{
	unsigned int i;

	for (i = vm->vcpus; i > 0; i--)
		vcpu_exit(&vm->vcpu[i - 1]);
}

/**
 * vm_restart() - make the VM ready for another start of the guest
 * @vm: as run_guest() left it
 *
 * For lg.ko this is another VM. The memory is empty again, and each device is as after
 * power-on. What is behind the devices does not notice.
 *
 * Return: 0, or a negative errno after telling the person.
 */
int vm_restart(struct vm *vm)
{
	unsigned int i;
	int fd;

	last_resort_in(END_MS);
	/* Its ports are to be disconnected by the descriptor that they were connected by. */
	if (vm->xen)
		xen_stop(vm->xen);
	exit_vcpus(vm);
	fd = ioctl(vm->fd, LGUEST_CREATE_VM);
	if (fd < 0)
		return host_refuses("another start of the guest");
	close(vm->fd);
	vm->fd = fd;
	init_vcpus(vm);
	for (i = 0; i < vm->devices; i++)
		virtio_device_reset(&vm->device[i]);
	last_resort_off();
	vm->stopping = false;
	vm->ended_by = NULL;
	vm->pause.wanted = false;
	return guest_memory_clear(&vm->memory);
}

/**
 * vm_exit() - end a VM
 * @vm: as vm_init(), vm_start() or vm_restart() left it
 */
void vm_exit(struct vm *vm)
{
	unsigned int i;

	last_resort_in(vm->leaving ? LEAVE_MS : END_MS);
	for (i = vm->devices; i > 0; i--) {
		/* The reader of the console's output may take its time. */
		if (&vm->device[i - 1] == vm->console && !vm->leaving)
			last_resort_off();
		virtio_device_exit(&vm->device[i - 1]);
	}
	if (vm->xen)
		xen_stop_devices(vm->xen);
	if (vm->xen && !vm->leaving)
		last_resort_off();
	xen_exit(vm->xen);
	vm->xen = NULL;
	last_resort_off();
	vm->devices = 0;
	agent_exit(&vm->agent);
	exit_vcpus(vm);
	vm->vcpus = 0;
	file_close(&vm->fd);
	guest_memory_exit(&vm->memory);
}
