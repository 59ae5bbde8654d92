// SPDX-License-Identifier: GPL-2.0-only
/*
 * Event channels, with the two levels of bits that all guests understand: pending and mask
 * in shared_info, a bit per word of those in the vcpu_info. A port is an IPI's, a virtual
 * interrupt's (the timer), or has the launcher at its other end.
 *
 * The guest writes to all these bits, too: what the host does depends on none of them.
 */
#include <linux/bitops.h>
#include <linux/nospec.h>
#include <linux/uaccess.h>

#include "abi-xen/xen.h"
#include "io/io.h"
#include "mmu/mmu.h"
#include "vcpu/vcpu.h"

/* Ports that the launcher tells of in start_info. */
#define FIRST_FREE	3

static struct lg_vcpu *vcpu_of(struct lg_vm *vm, unsigned int number)
{
	return number < LGUEST_MAX_VCPUS ?
	       smp_load_acquire(&vm->vcpus[array_index_nospec(number, LGUEST_MAX_VCPUS)]) : NULL;
}

static struct lg_xen_port *port_of(struct lg_vm *vm, u64 port)
{
	return port < LG_XEN_PORTS ? &vm->xen->ports[array_index_nospec(port, LG_XEN_PORTS)] : NULL;
}

/* The virtual CPU sees, now or when it unmasks events, that a bit of @port's word is set. */
static void notify(struct lg_vcpu *vcpu, unsigned int port)
{
	struct vcpu_info *info = vcpu->xen->info;

	lockdep_assert_held(&vcpu->vm->xen->lock);
	set_bit(port / BITS_PER_LONG, (unsigned long *)&info->evtchn_pending_sel);
	/* Behind the bits that it stands for. */
	smp_wmb();
	WRITE_ONCE(info->evtchn_upcall_pending, 1);
	lg_kick(vcpu);
}

static void raise_locked(struct lg_vm *vm, unsigned int port)
{
	struct shared_info *shared = vm->xen->shared;
	struct lg_vcpu *vcpu = vcpu_of(vm, vm->xen->ports[port].vcpu);

	lockdep_assert_held(&vm->xen->lock);
	if (!vcpu || test_and_set_bit(port, (unsigned long *)shared->evtchn_pending))
		return;
	if (!test_bit(port, (unsigned long *)shared->evtchn_mask))
		notify(vcpu, port);
	else if (READ_ONCE(vcpu->xen->poll_port) == port)
		lg_kick(vcpu);
}

/** lg_xen_raise_port - an eventfd of the launcher's was signalled; any context */
void lg_xen_raise_port(struct lg_vcpu *vcpu, unsigned int port)
{
	struct lg_vm *vm = vcpu->vm;
	unsigned long flags;

	if (port >= LG_XEN_PORTS)
		return;
	port = array_index_nospec(port, LG_XEN_PORTS);
	spin_lock_irqsave(&vm->xen->lock, flags);
	if (vm->xen->ports[port].kind == LG_XEN_LAUNCHER)
		raise_locked(vm, port);
	spin_unlock_irqrestore(&vm->xen->lock, flags);
}

/** lg_xen_raise_virq - a virtual interrupt of @vcpu's own; any context */
void lg_xen_raise_virq(struct lg_vcpu *vcpu, unsigned int virq)
{
	struct lg_vm *vm = vcpu->vm;
	unsigned long flags;

	spin_lock_irqsave(&vm->xen->lock, flags);
	if (vcpu->xen->virq_port[virq])
		raise_locked(vm, vcpu->xen->virq_port[virq]);
	spin_unlock_irqrestore(&vm->xen->lock, flags);
}

/** lg_xen_port_pending - has @port an event? */
bool lg_xen_port_pending(struct lg_vm *vm, unsigned int port)
{
	return port < LG_XEN_PORTS &&
	       test_bit(array_index_nospec(port, LG_XEN_PORTS),
			(unsigned long *)vm->xen->shared->evtchn_pending);
}

/** lg_xen_ports_init - the two that the launcher has from the start: xenstore's, the console's */
void lg_xen_ports_init(struct lg_xen_vm *xen)
{
	unsigned int i;

	spin_lock_init(&xen->lock);
	for (i = 1; i < FIRST_FREE; i++)
		xen->ports[i].kind = LG_XEN_LAUNCHER;
}

/* A port for @vcpu, or -ENOSPC. */
static long new_port(struct lg_vm *vm, enum lg_xen_port_kind kind, unsigned int vcpu)
{
	struct lg_xen_port *ports = vm->xen->ports;
	unsigned int i;

	lockdep_assert_held(&vm->xen->lock);
	for (i = FIRST_FREE; i < LG_XEN_PORTS; i++) {
		if (ports[i].kind != LG_XEN_FREE)
			continue;
		ports[i] = (struct lg_xen_port) { .kind = kind, .vcpu = vcpu };
		return i;
	}
	return -ENOSPC;
}

static long bind_virq(struct lg_vm *vm, struct evtchn_bind_virq *bind)
{
	struct lg_vcpu *vcpu = vcpu_of(vm, bind->vcpu);
	u16 *virq_port;
	long port;

	if (!vcpu)
		return -ENOENT;
	if (bind->virq >= LG_XEN_VIRQS)
		return -EINVAL;
	virq_port = &vcpu->xen->virq_port[array_index_nospec(bind->virq, LG_XEN_VIRQS)];
	if (*virq_port)
		return -EEXIST;
	port = new_port(vm, LG_XEN_VIRQ, vcpu->id);
	if (port < 0)
		return port;
	vm->xen->ports[port].virq = bind->virq;
	*virq_port = port;
	bind->port = port;
	return 0;
}

static long bind_ipi(struct lg_vm *vm, struct evtchn_bind_ipi *bind)
{
	struct lg_vcpu *vcpu = vcpu_of(vm, bind->vcpu);
	long port;

	if (!vcpu)
		return -ENOENT;
	port = new_port(vm, LG_XEN_IPI, vcpu->id);
	bind->port = port;
	return port < 0 ? port : 0;
}

/* For a device: its back end is the launcher. */
static long alloc_unbound(struct lg_vm *vm, struct evtchn_alloc_unbound *alloc)
{
	long port = new_port(vm, LG_XEN_LAUNCHER, 0);

	alloc->port = port;
	return port < 0 ? port : 0;
}

static long bind_vcpu(struct lg_vm *vm, const struct evtchn_bind_vcpu *bind)
{
	struct lg_xen_port *port = port_of(vm, bind->port);
	struct lg_vcpu *vcpu = vcpu_of(vm, bind->vcpu);

	if (!vcpu)
		return -ENOENT;
	if (!port || port->kind != LG_XEN_LAUNCHER)
		return -EINVAL;
	port->vcpu = vcpu->id;
	return 0;
}

static long close_port(struct lg_vm *vm, u64 number)
{
	struct lg_xen_port *port = port_of(vm, number);
	struct lg_vcpu *vcpu;

	if (!port || port->kind == LG_XEN_FREE || number < FIRST_FREE)
		return -EINVAL;
	vcpu = vcpu_of(vm, port->vcpu);
	if (port->kind == LG_XEN_VIRQ && vcpu)
		vcpu->xen->virq_port[port->virq] = 0;
	*port = (struct lg_xen_port) { .kind = LG_XEN_FREE };
	clear_bit(port - vm->xen->ports, (unsigned long *)vm->xen->shared->evtchn_pending);
	return 0;
}

static long unmask(struct lg_vm *vm, u64 number)
{
	struct lg_xen_port *port = port_of(vm, number);
	struct shared_info *shared = vm->xen->shared;
	struct lg_vcpu *vcpu = port ? vcpu_of(vm, port->vcpu) : NULL;

	if (!vcpu || port->kind == LG_XEN_FREE)
		return -EINVAL;
	number = array_index_nospec(number, LG_XEN_PORTS);
	if (test_and_clear_bit(number, (unsigned long *)shared->evtchn_mask) &&
	    test_bit(number, (unsigned long *)shared->evtchn_pending))
		notify(vcpu, number);
	return 0;
}

static long status(struct lg_vm *vm, struct evtchn_status *status)
{
	static const u8 of_kind[] = {
		[LG_XEN_FREE] = EVTCHNSTAT_closed, [LG_XEN_LAUNCHER] = EVTCHNSTAT_interdomain,
		[LG_XEN_VIRQ] = EVTCHNSTAT_virq, [LG_XEN_IPI] = EVTCHNSTAT_ipi,
	};
	struct lg_xen_port *port = port_of(vm, status->port);

	if (!port)
		return -EINVAL;
	status->status = of_kind[port->kind];
	status->vcpu = port->vcpu;
	memset(&status->u, 0, sizeof(status->u));
	if (port->kind == LG_XEN_VIRQ)
		status->u.virq = port->virq;
	return 0;
}

union operation {
	struct evtchn_alloc_unbound alloc_unbound;
	struct evtchn_bind_virq bind_virq;
	struct evtchn_bind_ipi bind_ipi;
	struct evtchn_bind_vcpu bind_vcpu;
	struct evtchn_close close;
	struct evtchn_send send;
	struct evtchn_unmask unmask;
	struct evtchn_status status;
};

/* With the lock. *tell: the launcher is to hear of it. */
static long operate(struct lg_vcpu *vcpu, u64 op, union operation *arg, bool *tell)
{
	struct lg_vm *vm = vcpu->vm;
	struct lg_xen_port *port;

	switch (op) {
	case EVTCHNOP_bind_virq:
		return bind_virq(vm, &arg->bind_virq);
	case EVTCHNOP_bind_ipi:
		return bind_ipi(vm, &arg->bind_ipi);
	case EVTCHNOP_alloc_unbound:
		return alloc_unbound(vm, &arg->alloc_unbound);
	case EVTCHNOP_bind_vcpu:
		return bind_vcpu(vm, &arg->bind_vcpu);
	case EVTCHNOP_close:
		return close_port(vm, arg->close.port);
	case EVTCHNOP_unmask:
		return unmask(vm, arg->unmask.port);
	case EVTCHNOP_status:
		return status(vm, &arg->status);
	}
	port = port_of(vm, arg->send.port);
	if (!port || (port->kind != LG_XEN_IPI && port->kind != LG_XEN_LAUNCHER))
		return -EINVAL;
	*tell = port->kind == LG_XEN_LAUNCHER;
	if (!*tell)
		raise_locked(vm, port - vm->xen->ports);
	return 0;
}

/* Bytes of the argument, and whether the guest wants to read it afterwards. */
static unsigned int argument_size(u64 op, bool *out)
{
	*out = false;
	switch (op) {
	case EVTCHNOP_bind_virq:
		*out = true;
		return sizeof(struct evtchn_bind_virq);
	case EVTCHNOP_bind_ipi:
		*out = true;
		return sizeof(struct evtchn_bind_ipi);
	case EVTCHNOP_alloc_unbound:
		*out = true;
		return sizeof(struct evtchn_alloc_unbound);
	case EVTCHNOP_status:
		*out = true;
		return sizeof(struct evtchn_status);
	case EVTCHNOP_bind_vcpu:
		return sizeof(struct evtchn_bind_vcpu);
	case EVTCHNOP_close:
	case EVTCHNOP_send:
	case EVTCHNOP_unmask:
		return sizeof(struct evtchn_send);
	}
	return 0;
}

/**
 * lg_xen_event_channel_op - HYPERVISOR_event_channel_op
 * @vcpu: the virtual CPU; its mutex is held
 * @op: EVTCHNOP_*
 * @gva: of its argument
 *
 * Sleeps. -ENOSYS for what this guest does without: FIFO channels, priorities, other domains.
 */
long lg_xen_event_channel_op(struct lg_vcpu *vcpu, u64 op, gva_t gva)
{
	struct lg_xen_vm *xen = vcpu->vm->xen;
	bool out, tell = false;
	union operation arg;
	unsigned int size = argument_size(op, &out);
	long err;

	lockdep_assert_held(&vcpu->mutex);
	if (!size)
		return -ENOSYS;
	if (lg_read_gva(vcpu, gva, &arg, size))
		return -EFAULT;
	spin_lock_irq(&xen->lock);
	err = operate(vcpu, op, &arg, &tell);
	spin_unlock_irq(&xen->lock);
	if (tell)
		lg_port_signal(vcpu->vm, arg.send.port);
	if (!err && out && lg_write_gva(vcpu, gva, &arg, size))
		err = -EFAULT;
	return err;
}
