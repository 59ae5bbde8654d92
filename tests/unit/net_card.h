/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of the network card share: a card, its driver, and where buffers are. */
#ifndef _NET_CARD_H
#define _NET_CARD_H

#include "driver.h"
#include "virtio/net/net.h"

#define WRITE		VRING_DESC_F_WRITE
#define NEXT		VRING_DESC_F_NEXT
#define F_MERGE		NET_FEATURE(MRG_RXBUF)

#define RECEIVE		NET_RECEIVE_QUEUE
#define TRANSMIT	NET_TRANSMIT_QUEUE
#define HEADER		12
/* The distance of receive buffers; packets to be sent lie behind them. */
#define APART		0x1000ULL
#define RECEIVED(n)	(DRIVER_BUFFERS + (n) * APART)
#define SENT		(DRIVER_BUFFERS + 0x100000)

extern struct virtio_device device;
extern struct driver driver;

void run_card(uint64_t features);	/* starts the card that was made */
void start_net(const char *value, uint64_t features);	/* starts a card, --net=VALUE */
void stop(void);
uint8_t *memory(uint64_t gpa);
void offer(unsigned int number, uint32_t size);	/* offers a receive buffer */
struct vring_used_elem *used(unsigned int queue, unsigned int number);

#endif /* _NET_CARD_H */
