// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kinds of devices that options ask for, in the order of --help.
 */
#include "../compiler.h"
#include "virtio.h"

const struct virtio_kind * const virtio_kinds[] = {
	&virtio_block_kind,
	&virtio_net_kind,
	&virtio_tunnet_kind,
	&virtio_p9_kind,
	&virtio_port_kind,
	&virtio_vsock_kind,
};
const unsigned int virtio_nr_kinds = ARRAY_SIZE(virtio_kinds);
