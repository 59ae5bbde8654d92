/* SPDX-License-Identifier: GPL-2.0-only */
/* A stranger's code in one of the launcher's processes, and what it gets hold of. */
#ifndef _INTRUDER_H
#define _INTRUDER_H

/* What it has done, in words with a blank behind each; shared by all processes. */
struct intruder {
	int processes;		/* that it was in */
	char done[4096];
};

extern struct intruder *intruder;

void intruder_prepare(void);
void intruder_try_all(void);
void intruder_sleep(void);

#endif /* _INTRUDER_H */
