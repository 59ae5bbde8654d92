/* SPDX-License-Identifier: GPL-2.0-only */
/* The initrd of a guest of "lguest run". */
#ifndef _LAUNCHER_RUN_IMAGE_H
#define _LAUNCHER_RUN_IMAGE_H

int run_image(void);

#endif /* _LAUNCHER_RUN_IMAGE_H */
