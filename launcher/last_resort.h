/* SPDX-License-Identifier: GPL-2.0-only */
/* The end of a launcher that can't end in order. */
#ifndef _LAUNCHER_LAST_RESORT_H
#define _LAUNCHER_LAST_RESORT_H

int last_resort_init(void);
void last_resort_in(unsigned int ms);
void last_resort_off(void);

#endif /* _LAUNCHER_LAST_RESORT_H */
