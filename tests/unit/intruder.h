/* SPDX-License-Identifier: GPL-2.0-only */
/* A stranger's code in one of the launcher's processes, and what it can reach. */
#ifndef _INTRUDER_H
#define _INTRUDER_H

/* What it could do: words, each with a blank behind it. All processes share this. */
struct intruder {
	int processes;		/* how many it was in */
	char done[4096];
};

extern struct intruder *intruder;

void intruder_prepare(void);
void intruder_try_all(void);
void intruder_sleep(void);

#endif /* _INTRUDER_H */
