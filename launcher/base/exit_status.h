/* SPDX-License-Identifier: GPL-2.0-only */
/* What lguest ends with, beside EXIT_SUCCESS; lguest.1 has them in a table. */
#ifndef _LAUNCHER_EXIT_STATUS_H
#define _LAUNCHER_EXIT_STATUS_H

#define EXIT_NOT_STARTED	1	/* the Guest; of a command: it failed */
#define EXIT_USAGE		2	/* the words on the command line are wrong */

/* Of "lguest run" alone, as timeout(1) and env(1) have them. */
#define EXIT_TIMED_OUT		124
#define EXIT_RUN_NOT_STARTED	125	/* what "git bisect run" skips */

#define EXIT_CRASHED		255	/* the Guest; "lguest run --panic-status" has another */

#endif /* _LAUNCHER_EXIT_STATUS_H */
