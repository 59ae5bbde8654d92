#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
switcher_stack.py SWITCHER.o: no instruction of the switcher runs on a stack that is not
safe to write to, outside of the ranges that NMI, #DB and #MC know.

An NMI or a machine check may come at each instruction, and what has come back from it
writes 8 bytes below the interrupted %rsp (async_return), unless the instruction is in a
range that async_ring0 handles otherwise. Two kinds of %rsp are not to be written to: the
guest's, which is where the guest likes it to be; and the host's while the guest's page
tables are loaded. This follows the control flow from each entry point with what %rsp and
CR3 may be, lists the instructions where %rsp is of such a kind, and demands of each that

  * a range of async_ring0 covers it that does not lead to async_return;
  * no range of ist_ring0 (#DB) that covers it leads to async_return;
  * it is one of the few instructions that cannot fault: a fault pushes its frame there.

The entry points and the ranges are read from the object itself. What it cannot follow
is an error, not a pass.
"""
import os
import re
import subprocess
import sys

# Where %rsp points to: the guest's choice, the host's stack, or a stack of the window.
GUEST, HOST, WINDOW = "the guest's", "the host's", "the window's"

HEADER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../switcher/switcher.h")
# Pages of a window, by name.
with open(HEADER) as header:
    OFFSET = {name: int(value, 16) for name, value in
              re.findall(r"#define WINDOW_(\w+)\s+(0x[0-9a-f]+)", header.read())}
HOST_RSP = OFFSET["HOST"]       # the first word there
HOST_CR3 = OFFSET["STATE"]      # likewise
STUBS = 256
STUB_BYTES = 16


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Instruction:
    def __init__(self, address, text):
        self.address = address
        self.size = 0
        words = text.split(None, 1)
        # A prefix that objdump prints by itself.
        while len(words) > 1 and words[0] in ("bnd", "cs", "ds", "data16", "notrack"):
            words = words[1].split(None, 1)
        self.op = words[0]
        self.args = words[1].split("#")[0].strip() if len(words) > 1 else ""
        self.target = None      # of a branch, or of an address relative to %rip
        match = re.search(r"# ([0-9a-f]+)", text)
        if match:
            self.target = int(match.group(1), 16)
        match = re.fullmatch(r"([0-9a-f]+) <.*>", self.args)
        if match and (self.op.startswith("j") or self.op.startswith("call")):
            self.target = int(match.group(1), 16)

    def __str__(self):
        return f"{self.op} {self.args}".strip()


class Code:
    """The text, its labels, and what memory operands address."""

    def __init__(self, path):
        self.labels = {}
        for line in run("nm", path).splitlines():
            address, kind, name = line.split()
            if kind == "a":
                continue
            self.labels.setdefault(name, int(address, 16))
        text = run("objdump", "-D", "-r", "-j", ".lg_switcher", "--no-show-raw-insn", path)
        self.at = {}
        last = None
        for line in text.splitlines():
            match = re.match(r"\s*([0-9a-f]+):\s+(R_X86_64_\S+)\s+(\S+)", line)
            if match:
                self.relocate(last, match)
                continue
            match = re.match(r"\s*([0-9a-f]+):\t(.+)", line)
            if not match:
                continue
            instruction = Instruction(int(match.group(1), 16), match.group(2).strip())
            if last:
                last.size = instruction.address - last.address
            last = self.at[instruction.address] = instruction
        self.end = self.labels["switcher_text_end"]
        self.before = {b: a for a, b in zip(sorted(self.at), sorted(self.at)[1:])}

    def relocate(self, instruction, match):
        """Of switcher_text + addend, relative to the end of the instruction."""
        symbol = re.fullmatch(r"switcher_text([+-]0x[0-9a-f]+)?", match.group(3))
        if match.group(2) not in ("R_X86_64_PC32", "R_X86_64_PLT32") or not symbol:
            sys.exit(f"{instruction.address:#x}: unknown relocation {match.group(0).strip()}")
        instruction.relocation = (int(match.group(1), 16), int(symbol.group(1) or "0", 16))

    def operand(self, instruction):
        """The offset in the window that a %rip-relative operand addresses, or None."""
        if "(%rip)" not in instruction.args:
            return None
        if hasattr(instruction, "relocation"):
            place, addend = instruction.relocation
            return addend + instruction.address + instruction.size - place
        return instruction.target

    def name(self, address):
        before = [(a, n) for n, a in self.labels.items() if a <= address and n != "switcher_text"]
        at, label = max(before) if before else (0, "switcher_text")
        return f"{label}+{address - at:#x}"

    def ranges(self, label):
        """RANGE(start, end, target) behind a label, up to the first other jump."""
        found, start, address = [], None, self.labels[label]
        while True:
            instruction = self.at[address]
            if instruction.op == "lea" and instruction.args.endswith("%rbx"):
                start = self.operand(instruction)
            elif instruction.op == "cmp" and instruction.args.endswith("%rbx"):
                length = int(instruction.args.split(",")[0].lstrip("$"), 16)
            elif instruction.op == "jb":
                found.append((start, start + length, instruction.target))
            elif instruction.op in ("jmp", "ret", "iretq") or \
                    (found and address == self.labels["async_return"]):
                return found
            address += instruction.size


class Walk:
    """Every state (address, stack, whose CR3) that control flow can reach."""

    def __init__(self, code):
        self.code = code
        self.seen = set()
        self.work = []
        self.errors = []
        for vector in range(STUBS):
            for cr3 in (GUEST, HOST):
                self.add(vector * STUB_BYTES, WINDOW, cr3)
        self.add(code.labels["switcher_enter"], HOST, HOST)
        self.add(code.labels["switcher_syscall"], GUEST, GUEST)
        self.add(code.labels["switcher_syscall32"], GUEST, GUEST)
        while self.work:
            self.step(*self.work.pop())

    def add(self, address, stack, cr3):
        if address not in self.code.at or address >= self.code.end:
            self.errors.append(f"flow leaves the code at {address:#x}")
        elif (address, stack, cr3) not in self.seen:
            self.seen.add((address, stack, cr3))
            self.work.append((address, stack, cr3))

    def loaded_from(self, address):
        """What was read into the register that the instruction at address writes to CR3."""
        before = self.code.at[self.code.before[address]]
        return self.code.operand(before) if before.op == "mov" else None

    def stack_after(self, instruction, stack):
        op, args = instruction.op, instruction.args
        if not args.endswith("%rsp") or op in ("push", "cmp", "test"):
            return stack
        source = args.split(",")[0]
        if op == "lea":
            offset = self.code.operand(instruction)
            # The stacks, and what IRET or save_guest take from the end of one.
            if offset is not None and OFFSET["IST"] < offset <= OFFSET["STACK"] + 0x1000:
                return WINDOW
        elif op == "mov" and self.code.operand(instruction) == HOST_RSP:
            return HOST
        elif op == "mov":
            return GUEST        # from memory, from a register: whatever it is
        elif op == "pop":
            # async_return's: the interrupted one, and this very check says whose it is.
            return WINDOW
        elif op in ("add", "sub") and source.startswith("$"):
            return stack
        self.errors.append(f"{self.code.name(instruction.address)}: cannot follow {instruction}")
        return GUEST

    def step(self, address, stack, cr3):
        instruction = self.code.at[address]
        op = instruction.op
        if op in ("ret", "lret", "lretq", "iretq", "sysretq", "sysretl", "int3"):
            return
        branch = op[0] == "j" or op.startswith("call")
        if op in ("(bad)", "leave", "enter") or (op == "xchg" and "%rsp" in instruction.args) or \
                (branch and instruction.target is None):
            self.errors.append(f"{self.code.name(address)}: cannot follow {instruction}")
            return
        if op == "mov" and instruction.args.endswith("%cr3"):
            cr3 = HOST if self.loaded_from(address) == HOST_CR3 else GUEST
        stack = self.stack_after(instruction, stack)
        if branch:
            self.add(instruction.target, stack, cr3)
        if op != "jmp":
            self.add(address + instruction.size, stack, cr3)


def unsafe(stack, cr3):
    return stack == GUEST or (stack == HOST and cr3 == GUEST)


# What may stand where %rsp is the guest's: none of these can fault on it. SYSRET's %rcx
# is canonical by the code before it.
HARMLESS = {"endbr64", "jmp", "jne", "je", "jg", "pause", "int", "sysretq", "sysret", "nop"}


def may_fault(code, instruction):
    if instruction.op in HARMLESS:
        return False
    operand = code.operand(instruction)
    return not (operand is not None and 0 <= operand < OFFSET["HOST"] and
                instruction.op in ("mov", "lea", "cmpw", "cmpb", "cmpq", "movl", "decl") or
                instruction.op == "test" and "(" not in instruction.args)


def main(path):
    code = Code(path)
    walk = Walk(code)
    errors = walk.errors
    back = code.labels["async_return"]
    asynchronous = code.ranges("async_ring0")
    debug = code.ranges("ist_ring0")
    if len(asynchronous) < 3 or not debug:
        errors.append(f"only {len(asynchronous)} and {len(debug)} ranges found")

    def covering(ranges, address):
        return [target for start, end, target in ranges if start <= address < end]

    states = sorted({(a, s) for a, s, c in walk.seen if unsafe(s, c)})
    for address, stack in states:
        instruction = code.at[address]
        targets = covering(asynchronous, address)
        where = f"{address:#06x} {code.name(address):24} {str(instruction):32} on {stack} %rsp"
        if not targets or back in targets:
            errors.append(f"{where}: no range")
        if back in covering(debug, address):
            errors.append(f"{where}: a #DB returns by async_return")
        if stack == GUEST and may_fault(code, instruction):
            errors.append(f"{where}: may fault")
    print(f"{len(states)} instructions on a stack that is not to be written to, "
          f"{len(asynchronous)} ranges for NMI and #MC, {len(debug)} for #DB")
    for error in errors:
        print(error)
    return 1 if errors or not states else 0


sys.exit(main(sys.argv[1]))
