/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of userland share. Each of these is a test: was it as it should be? */
#ifndef _USERLAND_H
#define _USERLAND_H

#include <stdbool.h>

#define PAGE	4096UL
#define MIB	(1UL << 20)

/* userland_processes.c */
bool pipes_carry_all(void);
bool round_trips(void);
bool children_have_their_own_memory(void);
bool many_at_once(void);
bool exec_passes_arguments(void);
bool death_by_signal_is_told(void);
bool threads_count_together(void);
bool threads_take_turns(void);

#endif /* _USERLAND_H */
