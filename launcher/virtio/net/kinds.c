// SPDX-License-Identifier: GPL-2.0-only
/*
 * The options that ask for a network card: --net=MODE[:ARGUMENT][,WORD]...
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/compiler.h"
#include "base/message.h"
#include "base/value.h"
#include "virtio/net/net.h"

#define MODES	"user, tap, bridge:BR, socket:PATH"

static const struct mode {
	const char *name;
	const char *argument;	/* what the argument is, if there must be one */
	bool may_have_one;
	const struct net_ops *ops;
} modes[] = {
	{ "user", NULL, false, &net_user_ops },
	{ "tap", NULL, true, &net_tap_ops },
	{ "bridge", "BR", true, &net_bridge_ops },
	{ "socket", "PATH", true, &net_socket_ops },
};

/*
 * Make an address: locally administered, the same after each restart of the guest, and
 * different for each device and each launcher.
 */
static void make_mac(const struct virtio_device *device, uint8_t mac[6])
{
	static uint8_t random[4];
	static bool drawn;

	if (!drawn && getrandom(random, sizeof(random), 0) == sizeof(random))
		drawn = true;
	mac[0] = 0x02;
	memcpy(mac + 1, random, sizeof(random));
	/* Devices lie in an array: neighbours differ in this number. */
	mac[5] = (uintptr_t)device / sizeof(*device);
}

/**
 * net_parse_mac() - understand a hardware address
 * @text: six bytes, hexadecimal, with colons
 * @mac: they go there
 *
 * Return: 0, or -EINVAL after telling the person.
 */
int net_parse_mac(const char *text, uint8_t mac[6])
{
	char again[18];
	unsigned int byte[6], i;
	int end = 0;

	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &byte[0], &byte[1], &byte[2], &byte[3],
		   &byte[4], &byte[5], &end) < 6 || text[end])
		goto bad;
	for (i = 0; i < 6; i++)
		mac[i] = byte[i];
	/* sscanf() accepts blanks and signs, too: compare. */
	snprintf(again, sizeof(again), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
	if (strcasecmp(again, text))
		goto bad;
	if (mac[0] & 1)
		return misused("'%s' is the address of a group, not of a network card: make the first byte even",
			      text);
	return 0;

bad:
	return misused("'%s' is no hardware address: say six bytes like 52:54:00:12:34:56",
		      text);
}

/* Find the mode, and put what follows its colon into the request. */
static int find_mode(struct net_request *request, const char *text)
{
	const char *colon = strchr(text, ':');
	size_t length = colon ? (size_t)(colon - text) : strlen(text);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(modes); i++)
		if (strlen(modes[i].name) == length && !strncmp(modes[i].name, text, length))
			break;
	if (i == ARRAY_SIZE(modes) || (colon && !modes[i].may_have_one))
		return misused("'%s' is no kind of network: there are " MODES, text);
	request->ops = modes[i].ops;
	request->argument = colon && colon[1] ? colon + 1 : NULL;
	if (modes[i].argument && !request->argument)
		return misused("--net=%s needs to know more: --net=%s:%s", modes[i].name,
			      modes[i].name, modes[i].argument);
	return 0;
}

static int make_card(struct virtio_device *device, const struct guest_memory *memory,
		     struct net_request *request, const char *mac)
{
	int error;

	make_mac(device, request->mac);
	error = mac ? net_parse_mac(mac, request->mac) : 0;
	return error ? error : net_init(device, memory, request);
}

static int net_kind_init(struct virtio_device *device, const struct guest_memory *memory,
			 const char *text)
{
	struct net_request request = { 0 };
	struct value value;
	int error;

	/* The caller may end the device even if we fail early. */
	memset(device, 0, sizeof(*device));
	error = value_parse(&value, "net", "user", text);
	request.value = &value;
	if (!error)
		error = find_mode(&request, value.first);
	if (!error)
		error = make_card(device, memory, &request, value_get(&value, "mac"));
	value_free(&value);
	return error;
}

/* As in the original lguest: IP[:MAC] or bridge:BR[:MAC]. */
static int tunnet_kind_init(struct virtio_device *device, const struct guest_memory *memory,
			    const char *text)
{
	struct net_request request = { .ops = &net_address_ops };
	struct value value;
	char *argument, *mac;
	int error;

	memset(device, 0, sizeof(*device));
	error = value_parse(&value, "tunnet", "IP", text);
	if (error)
		goto free;
	argument = value.text;
	if (!strncmp(argument, "bridge:", 7)) {
		request.ops = &net_bridge_ops;
		argument += 7;
	}
	mac = strchr(argument, ':');
	if (mac)
		*mac++ = '\0';
	request.argument = argument;
	request.value = &value;
	error = make_card(device, memory, &request, mac);

free:
	value_free(&value);
	return error;
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
