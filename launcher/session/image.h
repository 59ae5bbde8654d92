/* SPDX-License-Identifier: GPL-2.0-only */
/* The initrd of a guest of "lguest run". */
#ifndef _LAUNCHER_RUN_IMAGE_H
#define _LAUNCHER_RUN_IMAGE_H

struct module_list;

int run_image(const struct module_list *modules);

#endif /* _LAUNCHER_RUN_IMAGE_H */
