/* SPDX-License-Identifier: GPL-2.0-only */
/* What the Launcher gives up before the Guest runs. */
#ifndef _LAUNCHER_VM_SANDBOX_H
#define _LAUNCHER_VM_SANDBOX_H

struct options;

void vm_sandbox(const struct options *options, int socket_directory);

#endif /* _LAUNCHER_VM_SANDBOX_H */
