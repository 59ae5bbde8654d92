/* SPDX-License-Identifier: GPL-2.0-only */
/* What differs between the kernels lg.ko builds for: 6.1, 6.12 and 7.3. */
#ifndef _LG_COMPAT_H
#define _LG_COMPAT_H

#include <linux/eventfd.h>
#include <linux/hrtimer.h>
#include <linux/list_lru.h>
#include <linux/mmu_notifier.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/version.h>
#include <asm/cpufeatures.h>

static inline void lg_eventfd_signal(struct eventfd_ctx *ctx)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
	eventfd_signal(ctx);
#else
	eventfd_signal(ctx, 1);
#endif
}

static inline void lg_hrtimer_setup(struct hrtimer *timer,
				    enum hrtimer_restart (*fn)(struct hrtimer *))
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0)
	hrtimer_setup(timer, fn, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
#else
	hrtimer_init(timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
	timer->function = fn;
#endif
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
#define lg_shrinker_data(shrinker)	((shrinker)->private_data)
#else
/* Before 6.7 a shrinker has no field for its owner: allocate a pointer behind it. */
#define lg_shrinker_data(shrinker)	(*(void **)((shrinker) + 1))
#define shrinker_alloc(flags, name)	kzalloc(sizeof(struct shrinker) + sizeof(void *), GFP_KERNEL)

static inline void shrinker_free(struct shrinker *shrinker)
{
	unregister_shrinker(shrinker);
	kfree(shrinker);
}
#endif

/* 0, or -ENOMEM: then the shrinker is freed. */
static inline int lg_shrinker_register(struct shrinker *shrinker, unsigned int flags)
{
	int err = 0;

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	shrinker_register(shrinker);
#else
	shrinker->flags = flags;
	err = register_shrinker(shrinker, "lguest");
	if (err)
		kfree(shrinker);
#endif
	return err;
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
#define list_lru_add_obj(lru, item)	list_lru_add(lru, item)
#define list_lru_del_obj(lru, item)	list_lru_del(lru, item)
#endif

/* What these callbacks return: int, from 7.x on bool. */
typedef typeof(((struct mmu_notifier_ops *)NULL)->test_young(NULL, NULL, 0)) lg_young_t;

/* A kernel with the patches in guest-patches/ has the bit under another name. */
#ifndef X86_FEATURE_XENPV
#define X86_FEATURE_XENPV	X86_FEATURE_PV_RING3
#endif

#endif /* _LG_COMPAT_H */
