/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a guest of Xen's ABI has instead of a guest of lguest's: the face of this wing.
 * Nothing of virtio's is there: such a kernel finds its devices by Xen's store.
 */
#ifndef _LAUNCHER_XEN_H
#define _LAUNCHER_XEN_H

struct boot_entry;
struct boot_request;
struct guest_memory;
struct lguest_run;
struct options;
struct xen;

int xen_init(struct xen **xen, const struct options *options, struct guest_memory *memory,
	     void (*leave)(void *), void *argument);
int xen_prepare(struct xen *xen, const struct boot_request *request, struct boot_entry *entry);
int xen_choose(int vm);
int xen_set_up(const struct xen *xen, int vm);
int xen_start(struct xen *xen, int vm);
void xen_call(struct xen *xen, struct lguest_run *run);
int xen_power_down(struct xen *xen);
void xen_stop_devices(struct xen *xen);
void xen_stop(struct xen *xen);
void xen_exit(struct xen *xen);

#endif /* _LAUNCHER_XEN_H */
