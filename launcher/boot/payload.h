/* SPDX-License-Identifier: GPL-2.0-only */
/* The compressed kernel inside a bzImage. */
#ifndef _LAUNCHER_PAYLOAD_H
#define _LAUNCHER_PAYLOAD_H

#include "base/bytes.h"

/* No unpacked kernel is bigger than this. */
#define PAYLOAD_MAX	(512ULL << 20)

int payload_unpack(const char *path, struct bytes packed, struct bytes *unpacked);

#endif /* _LAUNCHER_PAYLOAD_H */
