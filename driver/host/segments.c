// SPDX-License-Identifier: GPL-2.0-only
/*
 * Segments: the descriptors that a guest may have in the GDT that is live while it runs, and
 * the selectors that the host may load for it, by the rules of host/selectors.h. In 64-bit
 * mode little is left of segmentation, but a bad descriptor or selector would fault in ring 0.
 */
#include <linux/errno.h>
#include <linux/string.h>

#include "lg.h"
#include "host/host.h"
#include "host/selectors.h"

/**
 * lg_set_tls - check and set the three TLS descriptors of a vCPU
 * @vcpu: the virtual CPU; its mutex is held
 * @entries: as the guest gave them
 *
 * 0, or -EINVAL: then nothing has changed. The next lg_window_gdt() copies them to the GDT.
 */
int lg_set_tls(struct lg_vcpu *vcpu, const u64 entries[3])
{
	struct desc_struct tls[3];
	int i;

	lockdep_assert_held(&vcpu->mutex);
	memcpy(tls, entries, sizeof(tls));
	for (i = 0; i < 3; i++) {
		if (!lg_tls_ok(&tls[i], entries[i]))
			return -EINVAL;
		/* Set the accessed bit, so that the CPU does not write to the GDT. */
		if (entries[i])
			tls[i].type |= 1;
	}
	memcpy(vcpu->tls, tls, sizeof(tls));
	return 0;
}

/* lg_loadable_selector() for the descriptors of @vcpu. */
u16 lg_check_selector(const struct lg_vcpu *vcpu, u16 selector)
{
	return lg_loadable_selector(vcpu->tls, selector);
}

/* lg_returns_with() for the descriptors of @vcpu. */
bool lg_return_selectors_ok(const struct lg_vcpu *vcpu, u64 cs, u64 ss)
{
	return lg_returns_with(vcpu->tls, cs, ss);
}
