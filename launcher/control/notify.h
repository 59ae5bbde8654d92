/* SPDX-License-Identifier: GPL-2.0-only */
/* Telling the service manager that started us that the guest runs. */
#ifndef _LAUNCHER_NOTIFY_H
#define _LAUNCHER_NOTIFY_H

void notify_init(void);
void notify_ready(void);

#endif /* _LAUNCHER_NOTIFY_H */
