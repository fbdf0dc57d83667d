/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A session: one open file of the device, one kernel thread, and whose move it is. */
#ifndef ACTIVEMM_SESSION_H
#define ACTIVEMM_SESSION_H

#include <linux/completion.h>
#include <linux/list.h>
#include <linux/mm_types.h>
#include <linux/mutex.h>
#include <linux/sched.h>

#include "activemm_abi.h"
#include "base.h"

/* Whose move it is. */
enum turn {
	TURN_CALLER,
	TURN_THREAD,
};

struct session {
	/* What a round trip touches, on one cache line. */
	enum turn turn;
	enum activemm_mode mode;
	unsigned int cpu;
	int ended; /* 0, or the error that round trips return from now on */
	bool observe;
	struct base base;
	struct task_struct *thread;
	struct task_struct *caller;
	struct mm_struct *owner_mm;
	u64 round_trips;
	u64 cr3_writes;
	u64 leaves;

	struct mutex lock; /* serializes the ioctls of one file */
	struct mm_struct *private_mm;
	struct completion ready;
	struct list_head list;
	struct activemm_report seen;
};

/* The body of the session's kernel thread; started with its CPU bound and ->ready not complete. */
int session_thread(void *data);

/*
 * Switches to the thread and back. With ->lock held. 0, or -ENXIO, -EPERM, -EINVAL, -ENODEV,
 * -ECANCELED as activemm_abi.h has them, or -EINTR: killed before the thread answered.
 */
int session_hand_over(struct session *s);

/* The address space's opaque id, 0 for NULL. */
u64 session_mm_id(const struct mm_struct *mm);

struct activemm_counts session_mm_counts(const struct mm_struct *mm);

/* Draws the key of the ids; before the device exists. */
void session_init_ids(void);

#endif
