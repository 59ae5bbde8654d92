/* SPDX-License-Identifier: GPL-2.0-only */
/* What the person is told when a guest has crashed. */
#ifndef _LAUNCHER_REPORT_H
#define _LAUNCHER_REPORT_H

struct vcpu;
struct vm;

void report_crash(struct vcpu *vcpu, const char *what, const char *reason);

#endif /* _LAUNCHER_REPORT_H */
