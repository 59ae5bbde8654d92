/* SPDX-License-Identifier: GPL-2.0-only */
/* Stands in for the kernel's: integers by size. */
#ifndef _PURE_LINUX_TYPES_H
#define _PURE_LINUX_TYPES_H

#include_next <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef unsigned long long u64;
typedef int8_t s8;
typedef int32_t s32;
typedef long long s64;

#define U16_MAX	0xffff

#endif /* _PURE_LINUX_TYPES_H */
