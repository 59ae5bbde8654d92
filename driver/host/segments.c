// SPDX-License-Identifier: GPL-2.0-only
/*
 * Segments: what the Guest may put into the GDT that is live while it runs, and
 * which selectors the Host may load for it. In 64-bit mode little is left of
 * segmentation, but a bad descriptor or selector would fault in ring 0.
 */
#include <linux/errno.h>
#include <linux/string.h>
#include <asm/segment.h>

#include "lg.h"
#include "host/host.h"

/*
 * Data, DPL 3, not a system segment: SDM volume 3, 3.4.5. An empty one is fine.
 * L is clear (it means nothing in data), and code is not for TLS.
 */
static bool tls_ok(const struct desc_struct *desc, u64 raw)
{
	if (!raw)
		return true;
	return desc->p && desc->s && desc->dpl == 3 && !(desc->type & 8) && !desc->l;
}

/**
 * lg_set_tls - take the three TLS descriptors of a vCPU
 * @vcpu: the virtual CPU; its mutex is held
 * @entries: as the Guest gave them
 *
 * 0, or -EINVAL and nothing changed. They reach the GDT with the next load.
 */
int lg_set_tls(struct lg_vcpu *vcpu, const u64 entries[3])
{
	struct desc_struct tls[3];
	int i;

	lockdep_assert_held(&vcpu->mutex);
	memcpy(tls, entries, sizeof(tls));
	for (i = 0; i < 3; i++) {
		if (!tls_ok(&tls[i], entries[i]))
			return -EINVAL;
		/* Accessed already: so that nothing writes to the GDT. */
		if (entries[i])
			tls[i].type |= 1;
	}
	memcpy(vcpu->tls, tls, sizeof(tls));
	return 0;
}

/* What the Guest has put where @selector points; NULL: that is not its place, or empty. */
static const struct desc_struct *tls_of(const struct lg_vcpu *vcpu, u16 selector)
{
	unsigned int entry = (selector >> 3) - GDT_ENTRY_TLS_MIN;
	const struct desc_struct *desc;

	if ((selector & 7) != 3 || entry >= ARRAY_SIZE(vcpu->tls))
		return NULL;
	/* Nor by speculation, with what lies elsewhere: the Guest says the selector. */
	desc = &vcpu->tls[array_index_nospec(entry, ARRAY_SIZE(vcpu->tls))];
	return desc->p ? desc : NULL;
}

/* @selector for DS, ES, FS or GS if it can be loaded, else null. */
u16 lg_check_selector(const struct lg_vcpu *vcpu, u16 selector)
{
	if (selector == __USER_CS || selector == __USER32_CS || selector == __USER_DS ||
	    selector == GDT_ENTRY_CPUNODE * 8 + 3)
		return selector;
	return tls_of(vcpu, selector) ? selector : 0;
}

/* Can IRET go to ring 3 with these? SS must be writable data. */
bool lg_return_selectors_ok(const struct lg_vcpu *vcpu, u64 cs, u64 ss)
{
	const struct desc_struct *stack = ss <= U16_MAX ? tls_of(vcpu, ss) : NULL;

	return (cs == __USER_CS || cs == __USER32_CS) &&
	       (ss == __USER_DS || (stack && (stack->type & 2)));
}
