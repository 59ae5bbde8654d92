/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line of the launcher. */
#ifndef _LAUNCHER_OPTIONS_H
#define _LAUNCHER_OPTIONS_H

struct options;

int options_read(struct options *options, int argc, char **argv, unsigned int whose);
int options_guest(struct options *options);
int options_parse(struct options *options, int argc, char **argv);

#endif /* _LAUNCHER_OPTIONS_H */
