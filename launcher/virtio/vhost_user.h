/* SPDX-License-Identifier: GPL-2.0-only */
/* A device whose queues another program serves: our end of the vhost-user protocol. */
#ifndef _LAUNCHER_VHOST_USER_H
#define _LAUNCHER_VHOST_USER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct virtio_device;

struct vhost_user {
	int fd;			/* the connection, or -1 */
	char *path;		/* of the socket */
	bool acknowledges;	/* the program answers each message if it is asked to */
	uint64_t features;	/* VIRTIO_* that the program offers */
	bool started;		/* it serves the queues; under the device's lock */
	pthread_t watcher;	/* tells the person when the program goes away */
	bool has_watcher;
};

int vhost_user_connect(struct vhost_user *user, const char *path);
int vhost_user_get_config(struct vhost_user *user, void *config, uint32_t size);
int vhost_user_set_config(struct vhost_user *user, uint32_t offset, const void *value,
			  uint32_t size);
int vhost_user_watch(struct vhost_user *user, struct virtio_device *device);
int vhost_user_start(struct vhost_user *user, struct virtio_device *device);
void vhost_user_stop(struct vhost_user *user, struct virtio_device *device);
void vhost_user_exit(struct vhost_user *user);

#endif /* _LAUNCHER_VHOST_USER_H */
