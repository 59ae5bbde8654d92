// SPDX-License-Identifier: GPL-2.0-only
/* The options that ask for a network card. */
#include <string.h>

#include "base/value.h"
#include "virtio/net/net.h"

typedef int parse(struct net_request *request, struct value *value, const char *text,
		  unsigned int number);

static int make_card(struct virtio_device *device, const struct guest_memory *memory,
		     const char *text, parse *understand)
{
	struct net_request request;
	struct value value;
	int error;

	/* The caller may end the device even if we fail early. */
	memset(device, 0, sizeof(*device));
	/* Devices lie in an array: neighbours differ in this number. */
	error = understand(&request, &value, text, (uintptr_t)device / sizeof(*device));
	if (!error)
		error = virtio_net_init(device, memory, &request);
	value_free(&value);
	return error;
}

static int net_kind_init(struct virtio_device *device, const struct guest_memory *memory,
			 const char *text)
{
	return make_card(device, memory, text, net_understand);
}

static int tunnet_kind_init(struct virtio_device *device, const struct guest_memory *memory,
			    const char *text)
{
	return make_card(device, memory, text, net_understand_tunnet);
}

const struct virtio_kind virtio_net_kind = {
	.option = "net",
	.value = "MODE[,mac=MAC]",
	.help = "a network card: eth0 in the guest, the next one eth1. MODE is\n"
		"user[,restrict][,hostfwd=tcp|udp:[ADDRESS]:PORT-:GUESTPORT]...: through\n"
		"this program, without privileges; PORT of the host is the guest's\n"
		"GUESTPORT; restrict: nothing else comes in or out\n"
		"tap[:IFNAME]: a tap device of the host\n"
		"bridge:BR: one that is put into the bridge BR\n"
		"socket:PATH: another guest that says the same",
	.init = net_kind_init,
};

const struct virtio_kind virtio_tunnet_kind = {
	.option = "tunnet",
	.value = "IP[:MAC]",
	.help = "a tap device, and the host's address on it; or bridge:BR[:MAC]",
	.init = tunnet_kind_init,
};
