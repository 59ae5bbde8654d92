/* SPDX-License-Identifier: GPL-2.0-only */
/* A device whose queues another program serves: our end of the vhost-user protocol. */
#ifndef _LAUNCHER_VHOST_USER_H
#define _LAUNCHER_VHOST_USER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/thread.h"

struct virtio_device;

struct vhost_user {
	struct virtio_device *device;
	int fd;			/* the connection, or -1 */
	int wake;		/* eventfd: the thread has something to tell the program */
	char *path;		/* of the socket */
	bool acknowledges;	/* the program can acknowledge each message */
	uint64_t features;	/* VIRTIO_* that the program offers */
	int64_t deadline;	/* now_ms() when the program must have answered */
	struct thread thread;	/* talks to the program, and tells the person when it goes */

	/* Under the device's lock; a bit for each queue: */
	uint64_t wanted;	/* the driver wants it to be served, */
	uint64_t served;	/* the program may use it */
	bool broken;		/* the program broke the protocol, and is told no more */
	bool has_config;	/* a byte of the configuration waits to be told */
	uint8_t config_value;
	uint32_t config_offset;
};

extern int vhost_user_patience_ms;	/* tests have less */

int vhost_user_connect(struct vhost_user *user, struct virtio_device *device, const char *path);
int vhost_user_get_config(struct vhost_user *user, void *config, uint32_t size);
int vhost_user_run(struct vhost_user *user);
void vhost_user_start(struct vhost_user *user);
void vhost_user_stop_queue(struct vhost_user *user, unsigned int index);
void vhost_user_set_config(struct vhost_user *user, uint32_t offset, uint8_t value);
void vhost_user_exit(struct vhost_user *user);

#endif /* _LAUNCHER_VHOST_USER_H */
