/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line of the Launcher. */
#ifndef _LAUNCHER_OPTIONS_H
#define _LAUNCHER_OPTIONS_H

struct options;

int options_parse(struct options *options, int argc, char **argv);
void options_free(struct options *options);
int options_words(char **word);
void options_help(void);
void options_help_devices(void);

#endif /* _LAUNCHER_OPTIONS_H */
