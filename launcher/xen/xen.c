// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest of Xen's ABI has instead of a guest of lguest's, from its making to its end,
 * for as many starts as there are.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/message.h"
#include "base/value.h"
#include "lguest_uapi.h"
#include "memory.h"
#include "option/config.h"
#include "virtio/virtio.h"
#include "xen/area.h"
#include "xen/block.h"
#include "xen/build.h"
#include "xen/channel.h"
#include "xen/console.h"
#include "xen/hypercalls.h"
#include "xen/net.h"
#include "xen/p9.h"
#include "xen/store.h"
#include "xen/xen.h"

struct xen {
	struct guest_memory *memory;
	struct xen_area area;
	struct xen_calls calls;
	struct xen_rings rings;
	struct xen_console console;
	struct xen_store store;
	unsigned int blocks;
	struct xen_block block[XEN_MAX_BLOCKS];
	unsigned int nets;
	struct xen_net net[XEN_MAX_NETS];
	unsigned int shares;
	struct xen_p9 share[XEN_MAX_SHARES];
	bool has_channel;		/* for the command of "lguest run" */
	struct xen_channel channel;
	unsigned int cpus;
	const char *name;		/* the person's for the guest, or NULL */
};

#define SHUTDOWN	XEN_STORE_HOME "/control/shutdown"
#define CAN_SHUT_DOWN	XEN_STORE_HOME "/control/feature-poweroff"

static bool is_disk(const struct options_device *device)
{
	return device->kind == &virtio_block_kind;
}

static bool is_card(const struct options_device *device)
{
	return device->kind == &virtio_net_kind || device->kind == &virtio_tunnet_kind;
}

static bool is_share(const struct options_device *device)
{
	return device->kind == &virtio_p9_kind;
}

/* Only what the launcher can do itself goes without virtio. */
static int check_device(const struct options_device *device, const char *kernel)
{
	if (!is_disk(device) && !is_card(device) && !is_share(device))
		return misused("--%s=%s does not go with the kernel '%s': a guest of Xen's ABI has no virtio devices, and of others only disks, network cards and shares",
			       device->kind->option, device->value, kernel);
	if (device->kind->shares_memory && device->kind->shares_memory(device->value))
		return misused("--block=%s does not go with the kernel '%s': the disks of a guest of Xen's ABI are files and block devices, and no other program's",
			       device->value, kernel);
	return 0;
}

static int check_devices(const struct options *options)
{
	unsigned int i, disks = 0, cards = 0, shares = 0;
	int error = 0;

	for (i = 0; !error && i < options->devices; i++) {
		error = check_device(&options->device[i], options->kernel);
		disks += is_disk(&options->device[i]);
		cards += is_card(&options->device[i]);
		shares += is_share(&options->device[i]);
	}
	shares += options->share.directory ? 1 : 0;
	if (!error && disks > XEN_MAX_BLOCKS)
		error = misused("too many disks: a guest of Xen's ABI has %d at most", XEN_MAX_BLOCKS);
	if (!error && cards > XEN_MAX_NETS)
		error = misused("too many network cards: a guest of Xen's ABI has %d at most",
				XEN_MAX_NETS);
	if (!error && shares > XEN_MAX_SHARES)
		error = misused("too many shares: a guest of Xen's ABI has %d at most", XEN_MAX_SHARES);
	return error;
}

/* Nothing that only virtio can do is left out without a word. */
static int check_options(const struct options *options)
{
	int error = check_devices(options);

	if (!error && options->lacks)
		error = refuse(-ENOENT, "the kernel '%s' has no module '%s', without which it does not get the host's files: take a general kernel (Debian: linux-image-amd64)",
			       options->kernel, options->lacks);
	if (error)
		return error;
	if (options->report_free)
		return misused("--report-free does not go with the kernel '%s': a guest of Xen's ABI has no virtio balloon",
			       options->kernel);
	return 0;
}

/* The guest has changed something in the store. */
static void changed(void *argument, const char *path)
{
	struct xen *xen = argument;
	unsigned int i;

	for (i = 0; i < xen->blocks; i++)
		xen_block_changed(&xen->block[i], path);
	for (i = 0; i < xen->nets; i++)
		xen_net_changed(&xen->net[i], path);
	for (i = 0; i < xen->shares; i++)
		xen_p9_changed(&xen->share[i], path);
	if (xen->has_channel)
		xen_channel_changed(&xen->channel, path);
}

static int add_disk(struct xen *xen, const struct options_device *device)
{
	struct xen_block *block = &xen->block[xen->blocks];

	block->memory = xen->memory;
	block->area = &xen->area;
	block->device.store = &xen->store;
	return xen_block_init(block, xen->blocks++, device->value);
}

static int add_card(struct xen *xen, const struct options_device *device)
{
	struct xen_net *card = &xen->net[xen->nets];
	struct net_request request;
	struct value value;
	int error;

	if (device->kind == &virtio_net_kind)
		error = net_understand(&request, &value, device->value, xen->nets);
	else
		error = net_understand_tunnet(&request, &value, device->value, xen->nets);
	if (!error) {
		card->memory = xen->memory;
		card->area = &xen->area;
		card->device.store = &xen->store;
		error = xen_net_init(card, xen->nets++, &request);
	}
	value_free(&value);
	return error;
}

static int add_share(struct xen *xen, const char *directory, const char *tag, bool read_only)
{
	struct xen_p9 *share = &xen->share[xen->shares];

	share->memory = xen->memory;
	share->area = &xen->area;
	share->device.store = &xen->store;
	return xen_p9_init(share, xen->shares++, directory, tag, read_only);
}

static int add_share_by_text(struct xen *xen, const struct options_device *device)
{
	struct value value;
	char *tag;
	int error;

	error = virtio_p9_parse(&value, device->value, &tag);
	if (!error)
		error = add_share(xen, value.first, tag, value_flag(&value, "ro"));
	value_free(&value);
	return error;
}

/* What "lguest run" has beside what the person asks for. */
static int add_more(struct xen *xen, const struct options *options)
{
	const struct options_share *share = &options->share;
	int error = 0;

	if (share->directory)
		error = add_share(xen, share->directory, share->tag, share->read_only);
	if (error || !options->port.name)
		return error;
	xen->has_channel = true;
	xen->channel.memory = xen->memory;
	xen->channel.area = &xen->area;
	xen->channel.device.store = &xen->store;
	return xen_channel_init(&xen->channel, options->port.fd);
}

static int add_devices(struct xen *xen, const struct options *options)
{
	unsigned int i;
	int error = 0;

	for (i = 0; !error && i < options->devices; i++)
		error = is_disk(&options->device[i]) ? add_disk(xen, &options->device[i]) :
			is_card(&options->device[i]) ? add_card(xen, &options->device[i]) :
						       add_share_by_text(xen, &options->device[i]);
	return error ? error : add_more(xen, options);
}

/**
 * xen_init() - make all that lasts until the guest does not restart any more
 * @xen: goes there; xen_exit() it, whatever is returned
 * @options: what the person wants
 * @memory: the guest's memory; it has no hole from now on
 * @leave: called from a thread when the person wants to leave
 * @argument: for @leave
 *
 * Return: 0, or a negative errno after telling the person.
 */
int xen_init(struct xen **xen, const struct options *options, struct guest_memory *memory,
	     void (*leave)(void *), void *argument)
{
	struct xen *new;
	int error = check_options(options);

	if (error)
		return error;
	new = calloc(1, sizeof(*new));
	if (!new)
		return refuse(-ENOMEM, "no memory");
	*xen = new;
	guest_memory_close_hole(memory);
	new->memory = memory;
	new->calls.memory = memory;
	new->calls.area = &new->area;
	new->cpus = options->cpus;
	new->name = options->name;
	error = xen_console_init(&new->console, leave, argument);
	/* Both, so that xen_exit() has nothing to ask. */
	if (xen_store_init(&new->store, changed, new))
		error = -EMFILE;
	if (!error)
		error = xen_area_init(&new->area, memory->size);
	return error ? error : add_devices(new, options);
}

/* What a guest finds in the store. */
static void fill_store(struct xen *xen)
{
	struct xen_store *store = &xen->store;
	unsigned long long kib = xen->memory->size >> 10;
	char path[64];
	unsigned int i;

	xen_store_set(store, XEN_STORE_HOME "/domid", "%d", XEN_DOMAIN);
	xen_store_set(store, XEN_STORE_HOME "/name", "%s", xen->name ? xen->name : "lguest");
	xen_store_set(store, XEN_STORE_HOME "/vm", "/vm/%d", XEN_DOMAIN);
	xen_store_set(store, XEN_STORE_HOME "/memory/target", "%llu", kib);
	xen_store_set(store, XEN_STORE_HOME "/memory/static-max", "%llu", kib);
	/* It has its place before the guest can take all there are. */
	xen_store_set(store, SHUTDOWN, "%s", "");
	xen_store_set(store, XEN_STORE_HOME "/device", "%s", "");
	for (i = 0; i < xen->cpus; i++) {
		snprintf(path, sizeof(path), XEN_STORE_HOME "/cpu/%u/availability", i);
		xen_store_set(store, path, "%s", "online");
	}
	for (i = 0; i < xen->blocks; i++)
		xen_block_describe(&xen->block[i]);
	for (i = 0; i < xen->nets; i++)
		xen_net_describe(&xen->net[i]);
	for (i = 0; i < xen->shares; i++)
		xen_p9_describe(&xen->share[i]);
	if (xen->has_channel)
		xen_channel_describe(&xen->channel);
}

/**
 * xen_prepare() - put all that a guest starts from into its memory
 * @xen: as xen_init() or xen_stop() left it
 * @request: what to boot
 * @entry: filled in: where to start
 *
 * Return: 0, or a negative errno after telling the person.
 */
int xen_prepare(struct xen *xen, const struct boot_request *request, struct boot_entry *entry)
{
	xen_area_fill(&xen->area);
	xen->calls.grant_frames = 0;
	fill_store(xen);
	return xen_build(request, xen->memory, xen->area.gpa, entry, &xen->rings);
}

/**
 * xen_choose() - a new VM is one of Xen's ABI
 * @vm: lg.ko's descriptor of it, which has no memory yet
 *
 * Return: 0, or a negative errno after telling the person.
 */
int xen_choose(int vm)
{
	if (ioctl(vm, LGUEST_SET_ABI, (unsigned long)LGUEST_ABI_XEN) < 0)
		return host_refuses("a guest of Xen's ABI");
	return 0;
}

/**
 * xen_set_up() - tell lg.ko what it has to know before the first virtual CPU
 * @xen: as xen_prepare() left it
 * @vm: lg.ko's descriptor of the VM, which has the guest's memory
 *
 * Return: 0, or a negative errno after telling the person.
 */
int xen_set_up(const struct xen *xen, int vm)
{
	return xen_area_tell(&xen->area, vm);
}

/**
 * xen_start() - the guest starts now
 * @xen: as xen_prepare() left it
 * @vm: lg.ko's descriptor of the VM
 *
 * Return: 0, or a negative errno after telling the person.
 */
int xen_start(struct xen *xen, int vm)
{
	unsigned int i;
	int error = 0;

	for (i = 0; i < xen->blocks; i++)
		xen->block[i].vm = vm;
	for (i = 0; !error && i < xen->nets; i++)
		error = xen_net_start(&xen->net[i], vm);
	if (error)
		return error;
	for (i = 0; i < xen->shares; i++)
		xen->share[i].vm = vm;
	xen->channel.vm = vm;
	if (xen_port_connect(&xen->console.port, vm, XEN_CONSOLE_PORT))
		return host_refuses("the port of the guest's console");
	if (xen_port_connect(&xen->store.port, vm, XEN_STORE_PORT))
		return host_refuses("the port of the guest's store");
	error = xen_store_start(&xen->store, xen->rings.store);
	return error ? error : xen_console_start(&xen->console, xen->rings.console);
}

/**
 * xen_call() - do what LGUEST_EXIT_HYPERCALL returned for
 * @xen: as xen_start() left it
 * @run: of the virtual CPU whose thread this is; the answer goes there
 */
void xen_call(struct xen *xen, struct lguest_run *run)
{
	xen_hypercall(&xen->calls, run);
}

/**
 * xen_power_down() - have the guest switch itself off
 * @xen: of a guest that runs
 *
 * Return: 0 when it is told, -EHOSTDOWN: its kernel does not listen yet; -EALREADY: it has been
 * told before, and has not looked; -EPROTO, -ENOSPC or -ENOMEM: it can't be told.
 */
int xen_power_down(struct xen *xen)
{
	char text[8];

	if (!xen_store_get(&xen->store, CAN_SHUT_DOWN, text, sizeof(text)) || strcmp(text, "1"))
		return -EHOSTDOWN;
	if (xen_store_get(&xen->store, SHUTDOWN, text, sizeof(text)) && text[0])
		return -EALREADY;
	return xen_store_set(&xen->store, SHUTDOWN, "%s", "poweroff");
}

/**
 * xen_stop_devices() - the guest has ended: first the store, which connects devices, and them
 * @xen: as xen_start() left it, if it came to that; lg.ko's descriptor of the VM is open
 */
void xen_stop_devices(struct xen *xen)
{
	unsigned int i;

	xen_store_stop(&xen->store);
	for (i = 0; i < xen->blocks; i++)
		xen_block_stop(&xen->block[i]);
	for (i = 0; i < xen->nets; i++)
		xen_net_stop(&xen->net[i]);
	for (i = 0; i < xen->shares; i++)
		xen_p9_stop(&xen->share[i]);
	xen_channel_stop(&xen->channel);
}

/**
 * xen_stop() - the guest has ended
 * @xen: the same
 */
void xen_stop(struct xen *xen)
{
	xen_stop_devices(xen);
	xen_console_stop(&xen->console);
}

/**
 * xen_exit() - end all
 * @xen: as xen_init() left it, or NULL
 */
void xen_exit(struct xen *xen)
{
	unsigned int i;

	if (!xen)
		return;
	xen_stop(xen);
	xen_console_exit(&xen->console);
	xen_store_exit(&xen->store);
	for (i = 0; i < xen->blocks; i++)
		xen_block_exit(&xen->block[i]);
	for (i = 0; i < xen->nets; i++)
		xen_net_exit(&xen->net[i]);
	for (i = 0; i < xen->shares; i++)
		xen_p9_exit(&xen->share[i]);
	if (xen->has_channel)
		xen_channel_exit(&xen->channel);
	xen_area_exit(&xen->area);
	free(xen);
}
