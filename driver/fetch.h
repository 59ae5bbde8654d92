/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _LG_FETCH_H
#define _LG_FETCH_H

#include "decode.h"

struct lg_vcpu;

int lg_fetch(struct lg_vcpu *vcpu, struct lg_insn *insn, u8 bytes[LG_INSN_MAX]);

#endif /* _LG_FETCH_H */
