// SPDX-License-Identifier: GPL-2.0-only
/* No io_uring: its completions would come in another order each time. */
int __wrap_io_uring_queue_init(unsigned int entries, void *ring, unsigned int flags);
int __wrap_io_uring_queue_init(unsigned int entries, void *ring, unsigned int flags)
{
	(void)entries;
	(void)ring;
	(void)flags;
	return -38;	/* ENOSYS */
}
