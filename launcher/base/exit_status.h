/* SPDX-License-Identifier: GPL-2.0-only */
/* The exit statuses of lguest, beside EXIT_SUCCESS; lguest.1 has a table of them. */
#ifndef _LAUNCHER_EXIT_STATUS_H
#define _LAUNCHER_EXIT_STATUS_H

#define EXIT_NOT_STARTED	1	/* the guest could not start, or the command failed */
#define EXIT_USAGE		2	/* the words on the command line are wrong */

/* Of "lguest run" alone, and the same as for timeout(1) and env(1). */
#define EXIT_TIMED_OUT		124
#define EXIT_RUN_NOT_STARTED	125	/* "git bisect run" skips this commit */

#define EXIT_CRASHED		255	/* the guest did; see "lguest run --panic-status" */

#endif /* _LAUNCHER_EXIT_STATUS_H */
