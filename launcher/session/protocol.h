/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The protocol between "lguest run" and its init in the guest (session/init/run_init.c) on
 * the port SESSION_PORT. Each frame is a struct session_frame and as many bytes as it says.
 */
#ifndef _LAUNCHER_SESSION_PROTOCOL_H
#define _LAUNCHER_SESSION_PROTOCOL_H

#include <stdint.h>

#define SESSION_PORT	"lguest.run"
#define SESSION_TAG	"lguest.root"	/* the tag of the share that is the guest's root */

/* Of our user network: see net/user.c. */
#define SESSION_RESOLVER	"10.0.2.3"
#define SESSION_ADDRESS		"10.0.2.15"
#define SESSION_MASK		"255.255.255.0"
#define SESSION_GATEWAY		"10.0.2.2"

#define SESSION_MAX_DATA	16384U		/* bytes in any frame except the command's */
#define SESSION_MAX_COMMAND	(1U << 20)	/* bytes in the command's frame */

enum session_type {
	/* To the guest. */
	SESSION_COMMAND,	/* struct session_command and its texts: first, and once */
	SESSION_STDIN,		/* input: one frame for each SESSION_WANT */
	SESSION_STDIN_END,
	SESSION_SIGNAL,		/* uint32_t: for the command's processes */
	SESSION_CLOSED,		/* uint32_t: nobody reads this descriptor any more */
	SESSION_GOODBYE,	/* SESSION_EXIT has come, and all before it: switch the power off */
	/* From the guest. */
	SESSION_WANT,		/* the command has room for input: send up to SESSION_MAX_DATA */
	SESSION_STDOUT,
	SESSION_STDERR,
	SESSION_EXIT,		/* uint32_t: the status; the guest sends nothing after this */
};

struct session_frame {
	uint32_t type;
	uint32_t length;
};

/*
 * Texts follow, each with a 0 at its end: the current directory, the arguments, the
 * environment, and for each share beside the root its tag and its directory, which is the
 * same on the host and in the guest.
 */
struct session_command {
	uint32_t writable;	/* the guest may write to the host's files */
	uint32_t terminal;	/* bits 0 to 2: this standard descriptor is the console */
	uint32_t uid, gid;
	uint32_t groups;
	uint32_t group[32];
	uint32_t arguments;	/* how many; 0: run a shell */
	uint32_t variables;
	uint32_t shares;
	uint16_t rows, columns;	/* of the terminal, for a console that does not know them; or 0 */
	uint32_t network;	/* number of the card on our user network, from 1; 0: there is none */
};

#endif /* _LAUNCHER_SESSION_PROTOCOL_H */
