/* SPDX-License-Identifier: GPL-2.0-only */
/* What a client of the control socket may ask of the guest. */
#ifndef _LAUNCHER_REQUESTS_H
#define _LAUNCHER_REQUESTS_H

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "control/runtime.h"

struct options;
struct vm;

/* The guest, as the control socket knows it. */
struct request_guest {
	const struct options *options;
	char name[RUNTIME_NAME_MAX];
	int64_t since;		/* now_ms() when its launcher began */
	atomic_bool killed;	/* a client has asked for its end */
	bool attach;		/* the client that is served now becomes the console's */
	/* Held while a request works on vm, so that it stays there. */
	pthread_mutex_t lock;
	struct vm *vm;		/* the guest, while it runs */
};

json_t *request_answer(struct request_guest *guest, char *line);

#endif /* _LAUNCHER_REQUESTS_H */
