/* SPDX-License-Identifier: GPL-2.0-only */
/* What rights the launcher gives up before the guest runs. */
#ifndef _LAUNCHER_VM_SANDBOX_H
#define _LAUNCHER_VM_SANDBOX_H

void vm_sandbox_meets_in(int folder);
void vm_sandbox_leaves(int folder);
void vm_sandbox(int socket_directory);

#endif /* _LAUNCHER_VM_SANDBOX_H */
