/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What "lguest run" and its init in the Guest (session/init/run_init.c) say to each other on
 * the port SESSION_PORT: frames, each a struct session_frame and so many bytes.
 */
#ifndef _LAUNCHER_SESSION_PROTOCOL_H
#define _LAUNCHER_SESSION_PROTOCOL_H

#include <stdint.h>

#define SESSION_PORT	"lguest.run"
#define SESSION_TAG	"lguest.root"	/* of the share that is the Guest's root */

#define SESSION_RESOLVER	"10.0.2.3"	/* see virtio/net/user.c */

#define SESSION_MAX_DATA	16384U		/* bytes in one frame, but for */
#define SESSION_MAX_COMMAND	(1U << 20)	/* the command */

enum session_type {
	/* To the Guest. */
	SESSION_COMMAND,	/* struct session_command and its texts: the first, once */
	SESSION_STDIN,		/* bytes, no more than were wanted */
	SESSION_STDIN_END,
	SESSION_SIGNAL,		/* uint32_t: for the command's processes */
	SESSION_CLOSED,		/* uint32_t: nobody reads this descriptor any more */
	SESSION_GOODBYE,	/* all has come, SESSION_EXIT too: the power may go off */
	/* From the Guest. */
	SESSION_WANT,		/* the command may read: send up to SESSION_MAX_DATA */
	SESSION_STDOUT,
	SESSION_STDERR,
	SESSION_EXIT,		/* uint32_t: the status; only goodbye follows */
};

struct session_frame {
	uint32_t type;
	uint32_t length;
};

/*
 * The texts, each with a 0 at its end: current directory, arguments, environment; and of
 * each share beside the root its tag and where it is on the Host, and in the Guest, too.
 */
struct session_command {
	uint32_t writable;	/* the Host's files */
	uint32_t terminal;	/* descriptors that are the console: bits 0 to 2 */
	uint32_t uid, gid;
	uint32_t groups;
	uint32_t group[32];
	uint32_t arguments;	/* 0: a shell */
	uint32_t variables;
	uint32_t shares;
	uint32_t resolver;	/* there is a network of ours, and SESSION_RESOLVER in it */
};

#endif /* _LAUNCHER_SESSION_PROTOCOL_H */
