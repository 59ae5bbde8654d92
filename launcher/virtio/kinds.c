// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kinds of devices that options ask for, in the order of --help. A port is no device of its
 * own, but its option stands here, too: this file is above the console.
 */
#include "base/compiler.h"
#include "virtio/virtio.h"

const struct virtio_kind virtio_port_kind = {
	.option = "port",
	.value = "NAME:PATH[,in=PATH]",
	.help = "a stream to a program in the guest, which finds it by NAME in\n"
		"/dev/virtio-ports or /sys/class/virtio-ports: a socket to\n"
		"connect to, or a file for output (and another for input)",
	.add_port = virtio_console_add_port,
};

const struct virtio_kind * const virtio_kinds[] = {
	&virtio_block_kind,
	&virtio_net_kind,
	&virtio_tunnet_kind,
	&virtio_p9_kind,
	&virtio_port_kind,
	&virtio_vsock_kind,
};
const unsigned int virtio_nr_kinds = ARRAY_SIZE(virtio_kinds);
