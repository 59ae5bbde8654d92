/* SPDX-License-Identifier: GPL-2.0-only */
/* The fuzzer's input, as numbers and bytes; behind its end everything is 0. */
#ifndef _FUZZ_INPUT_H
#define _FUZZ_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void input_begin(const uint8_t *data, size_t size);
bool input_over(void);
uint8_t input_byte(void);
uint16_t input_16(void);
uint32_t input_32(void);
uint64_t input_64(void);
unsigned int input_below(unsigned int limit);
size_t input_bytes(void *to, size_t size);
uint64_t input_nasty(void);
size_t input_left(void);

/* Make a directory below $FUZZ_SCRATCH. Return: its name, in static memory. */
const char *scratch_directory(void);
/* As main() begins: messages are counted, not printed, and no peer that is gone ends us. */
extern unsigned int messages;
void launcher_begin(void);
/* Give up most of root's rights: a fuzzer must not make devices or load modules. */
void rights_drop(void);

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The fuzzer's own check: like the address sanitizer's, it ends the process if it fails. */
#define require(condition) \
	do { if (!(condition)) require_failed(#condition, __FILE__, __LINE__); } while (0)
_Noreturn void require_failed(const char *what, const char *file, int line);

#endif /* _FUZZ_INPUT_H */
