/* SPDX-License-Identifier: GPL-2.0-only */
/* What the Launcher gives up before the Guest runs. */
#ifndef _LAUNCHER_VM_SANDBOX_H
#define _LAUNCHER_VM_SANDBOX_H

void vm_sandbox_meets_in(int folder);
void vm_sandbox_leaves(int folder);
void vm_sandbox(int socket_directory);

#endif /* _LAUNCHER_VM_SANDBOX_H */
