/* SPDX-License-Identifier: GPL-2.0-only */
/* How the program is used. */
#ifndef _LAUNCHER_HELP_H
#define _LAUNCHER_HELP_H

struct command;

void help_print(void);
void help_command(const struct command *command);

#endif /* _LAUNCHER_HELP_H */
