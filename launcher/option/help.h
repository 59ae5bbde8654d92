/* SPDX-License-Identifier: GPL-2.0-only */
/* What --help says of options. */
#ifndef _LAUNCHER_OPTION_HELP_H
#define _LAUNCHER_OPTION_HELP_H

void option_help_devices(void);
void option_help(unsigned int whose);

#endif /* _LAUNCHER_OPTION_HELP_H */
