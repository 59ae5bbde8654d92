/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The functions of a guest ABI that run.c and exits.c call at each exit: see struct lg_abi. For
 * lguest's own ABI such a call costs a compare, and no indirect call, which is slow as a retpoline.
 */
#ifndef _LG_DISPATCH_H
#define _LG_DISPATCH_H

#include "abi.h"
#include "abi-lguest/lguest.h"

#define LG_DISPATCH(type, op, lguest)						\
static inline type lg_abi_##op(struct lg_vcpu *vcpu)				\
{										\
	return likely(vcpu->abi == &lg_abi_lguest) ? lguest(vcpu) :		\
						     vcpu->abi->op(vcpu);	\
}

LG_DISPATCH(enum lg_slow, deliver, lg_deliver)
LG_DISPATCH(enum lg_slow, system_call, lg_system_call)
LG_DISPATCH(enum lg_slow, hypercall, lg_hypercall)
LG_DISPATCH(bool, quickly, lg_hypercall_quickly)
LG_DISPATCH(bool, calls_wait, lg_ring_pending)
LG_DISPATCH(void, drain, lg_drain_ring)
LG_DISPATCH(void, loaded, lg_data_loaded)
LG_DISPATCH(void, put, lg_data_put)

#endif /* _LG_DISPATCH_H */
