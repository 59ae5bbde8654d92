#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Each array of lg.ko that is indexed by something that is not a constant or a counter of a
# loop stands in the list below with who bounds the index. A number that the guest or the
# launcher gives is clamped (array_index_nospec(), lg_slot_of(), a mask or a remainder): a
# test alone keeps the program from using it, but not the processor from guessing that it
# may (Spectre v1). Fails for an index that is not in the list, or no longer there.
set -u
cd "$(dirname -- "$0")/../.." || exit 1
. tests/selftests/check.sh

# As found(): array[index], and why it is not the guest's to choose beyond the array.
list()
{
	cat <<'END'
bytes[insn->length]			fewer than 15: a guess reads what lies behind them on the stack
entries[LG_FIXED_INDEX - first]		a constant less a counter
of_kind[port->kind]			the host's
ports[port]				clamped by the caller, or the host gives the numbers
time[RUNSTATE_running]			a constant
tls[entry]				clamped in the line before
traps[trap.vector]			256 entries, a byte
traps[vector]				256 entries, and the processor or the host says which
vcpu_info[vcpu->id]			the host's
virq_port[port->virq]			the host's: bind_virq() has checked it
virq_port[virq]				a constant of the caller's
word[words++]				the host's own counter
word[words]				the host's own counter
bytes[c->at++]				at most 15 bytes: a guess reads what lies behind them on the stack
by_id[page->id]				the host gives the numbers
by_id[spte / LG_ENTRIES]		the host makes the numbers of entries
entries[i - read]			a counter less another
exceptions[vector]			of 32, and the processor says which
guest[level]				of a loop
guest[page->level]			the host's
guest_pt[data]				by the number of the processor
hash[gfn * vm->mmu.hash_secret >> (64 - LG_SHADOW_HASH_BITS)]	as many bits as the hash has
hcall_status[slot]			the host's own counter
hcall_status[vcpu->lguest.ring_next]		the host's own counter
hcalls[slot]				the host's own counter
host_pts[cpu / WINDOWS_PER_PT]		by the number of the processor
host_pts[pt]				by the number of the processor
host_tables[lg_la57 ? 2 : 1]		one of two
hva[level]				of a loop
hva[page->level]			the host's
idt[vector]				256 entries, a byte
large_sptes[large]			of a loop
large_sptes[lg_large_of(slot, gfn)]	by lg_slot_of()
links[index]				by lg_table_index(), which has 9 bits; or a shadow entry's
no_large[lg_large_of(slot, gfn)]		by lg_slot_of()
sptes[gfn - slot->first]		by lg_slot_of(), or of a loop
published[slot]			a remainder, or the switcher's own
roots[cpu->root_slot / sizeof(*root)]	the switcher's own
roots[slot]				a remainder, or the switcher's own
slots[vm->nr_slots]			the host's own counter
table[index ^ 1]			9 bits
table[index]				9 bits
table[top]				by lg_table_index(), 9 bits
vcpus[id]				clamped in the line before
windows[cpu]				the number of a processor
entry[level]				of a loop
entry[max_t(int, page->level, walk->leaf)]	the host's
entry[walk->leaf]			the host's
END
}

# Without comments, constants, counters of loops, masks, remainders and clamps.
found()
{
	sed -E 's,^[[:space:]]*(/?\*|//).*,,; s,/\*.*,,' driver/*.[ch] driver/*/*.[ch] |
	grep -oE '[A-Za-z_][A-Za-z0-9_]*\[([^][]|\[[^]]*\])*[a-z]([^][]|\[[^]]*\])*\]' |
	grep -vE '\[[^]]*(array_index_nospec|%|& |smp_processor_id|WINDOW_[A-Z_]+ >>)' |
	grep -vE '\[([a-z]+ [+-] |[a-z]+ \+ [0-9] \+ )?[ij]( [+-] [0-9])?\]|\[(index|first) \+ 1( \+ i)?\]|\[size - 1\]' |
	grep -vE '^(char|[a-z]+_t) |LHCALL_##|\[i \? |^exceptions\[vector\]\)' | sort -u
}

every_index_has_its_bound()
{
	diff <(list | sed -E 's/\t+.*//' | sort -u) <(found)
}

check every_index_has_its_bound every_index_has_its_bound
checked
