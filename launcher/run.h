/* SPDX-License-Identifier: GPL-2.0-only */
/* Running the guest until it ends. */
#ifndef _LAUNCHER_RUN_H
#define _LAUNCHER_RUN_H

struct vm;

enum run_end {
	RUN_NOT_STARTED,	/* the person has been told why */
	RUN_POWEROFF,
	RUN_RESTART,
	RUN_CRASHED,	/* the person has been told why */
	RUN_LEFT,	/* somebody ended it: vm_leave() */
};

enum run_end run_guest(struct vm *vm);

#endif /* _LAUNCHER_RUN_H */
