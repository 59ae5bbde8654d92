/* SPDX-License-Identifier: GPL-2.0-only */
/* How the program is used. */
#ifndef _LAUNCHER_HELP_H
#define _LAUNCHER_HELP_H

void help_print(void);

#endif /* _LAUNCHER_HELP_H */
