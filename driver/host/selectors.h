/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which descriptors may a guest have in the GDT that is live while it runs, and which
 * selectors can the host load for it? Rules alone, no state: tests/pure tests them, too.
 */
#ifndef _LG_HOST_SELECTORS_H
#define _LG_HOST_SELECTORS_H

#include <linux/kernel.h>
#include <linux/nospec.h>
#include <linux/types.h>
#include <asm/desc_defs.h>
#include <asm/segment.h>

#define LG_TLS_ENTRIES	3

/*
 * A TLS descriptor is empty, or a data segment with DPL 3, not a system segment, with L clear,
 * which means nothing in data: SDM volume 3, 3.4.5.
 */
static inline bool lg_tls_ok(const struct desc_struct *desc, u64 raw)
{
	if (!raw)
		return true;
	return desc->p && desc->s && desc->dpl == 3 && !(desc->type & 8) && !desc->l;
}

/* The guest's descriptor that @selector names; NULL: it names none of the TLS, or an empty one. */
static inline const struct desc_struct *lg_tls_of(const struct desc_struct tls[LG_TLS_ENTRIES],
						  u16 selector)
{
	unsigned int entry = (selector >> 3) - GDT_ENTRY_TLS_MIN;
	const struct desc_struct *desc;

	if ((selector & 7) != 3 || entry >= LG_TLS_ENTRIES)
		return NULL;
	/* The guest chooses the selector: clamp it, for speculation, too. */
	desc = &tls[array_index_nospec(entry, LG_TLS_ENTRIES)];
	return desc->p ? desc : NULL;
}

/* Return @selector if DS, ES, FS or GS can be loaded with it, else the null selector. */
static inline u16 lg_loadable_selector(const struct desc_struct tls[LG_TLS_ENTRIES], u16 selector)
{
	if (selector == __USER_CS || selector == __USER32_CS || selector == __USER_DS ||
	    selector == GDT_ENTRY_CPUNODE * 8 + 3)
		return selector;
	return lg_tls_of(tls, selector) ? selector : 0;
}

/* Can IRET go to ring 3 with these selectors? SS must be writable data. */
static inline bool lg_returns_with(const struct desc_struct tls[LG_TLS_ENTRIES], u64 cs, u64 ss)
{
	const struct desc_struct *stack = ss <= U16_MAX ? lg_tls_of(tls, ss) : NULL;

	return (cs == __USER_CS || cs == __USER32_CS) &&
	       (ss == __USER_DS || (stack && (stack->type & 2)));
}

#endif /* _LG_HOST_SELECTORS_H */
