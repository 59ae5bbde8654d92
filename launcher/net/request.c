// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the options say that ask for a network card: --net=MODE[:ARGUMENT][,WORD]...
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/compiler.h"
#include "base/message.h"
#include "base/value.h"
#include "net/net.h"

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
static void make_mac(unsigned int number, uint8_t mac[6])
{
	static uint8_t random[4];
	static bool drawn;

	if (!drawn && getrandom(random, sizeof(random), 0) == sizeof(random))
		drawn = true;
	mac[0] = 0x02;
	memcpy(mac + 1, random, sizeof(random));
	mac[5] = number;
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

static int choose_mac(struct net_request *request, unsigned int number, const char *mac)
{
	make_mac(number, request->mac);
	return mac ? net_parse_mac(mac, request->mac) : 0;
}

/**
 * net_understand() - understand the value of --net
 * @request: filled in; it holds parts of @value
 * @value: filled in; value_free() it, whatever is returned
 * @text: the value
 * @number: of the card; neighbours have different ones
 *
 * Return: 0, or a negative errno after telling the person.
 */
int net_understand(struct net_request *request, struct value *value, const char *text,
		unsigned int number)
{
	int error = value_parse(value, "net", "user", text);

	memset(request, 0, sizeof(*request));
	request->value = value;
	if (!error)
		error = find_mode(request, value->first);
	return error ? error : choose_mac(request, number, value_get(value, "mac"));
}

/**
 * net_understand_tunnet() - understand the value of --tunnet
 * @request: filled in; it holds parts of @value
 * @value: filled in; value_free() it, whatever is returned
 * @text: the value, as in the original lguest: IP[:MAC] or bridge:BR[:MAC]
 * @number: of the card; neighbours have different ones
 *
 * Return: 0, or a negative errno after telling the person.
 */
int net_understand_tunnet(struct net_request *request, struct value *value, const char *text,
		       unsigned int number)
{
	int error = value_parse(value, "tunnet", "IP", text);
	char *argument, *mac;

	if (error)
		return error;
	*request = (struct net_request){ .ops = &net_address_ops, .value = value };
	argument = value->text;
	if (!strncmp(argument, "bridge:", 7)) {
		request->ops = &net_bridge_ops;
		argument += 7;
	}
	mac = strchr(argument, ':');
	if (mac)
		*mac++ = '\0';
	request->argument = argument;
	return choose_mac(request, number, mac);
}
