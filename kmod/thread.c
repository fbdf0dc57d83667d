// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The measured part: the hand-over from the caller to the session's kernel thread and back, and
 * what the thread does to the address space in between.
 */
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/mmu_context.h>
#include <linux/random.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/siphash.h>

#include "session.h"

static siphash_key_t id_key;

void session_init_ids(void)
{
	get_random_bytes(&id_key, sizeof(id_key));
}

u64 session_mm_id(const struct mm_struct *mm)
{
	return mm ? siphash_1u64((unsigned long)mm, &id_key) : 0;
}

struct activemm_counts session_mm_counts(const struct mm_struct *mm)
{
	return (struct activemm_counts){
		.users = atomic_read(&mm->mm_users),
		.count = atomic_read(&mm->mm_count),
	};
}

static void rewrite_as_switches_do(struct session *s, bool flush)
{
	int i;

	for (i = 0; i < ACTIVEMM_CR3_WRITES; i++)
		base_rewrite(&s->base, flush);
	s->cr3_writes += ACTIVEMM_CR3_WRITES;
}

static void observe(struct session *s)
{
	struct activemm_report *seen = &s->seen;

	seen->flags = ACTIVEMM_OBSERVED;
	if (current->mm)
		seen->flags |= ACTIVEMM_THREAD_HAS_MM;
	if (current->active_mm == s->owner_mm)
		seen->flags |= ACTIVEMM_BORROWS_CALLER;
	seen->thread_mm = session_mm_id(current->mm);
	seen->thread_active_mm = session_mm_id(current->active_mm);
	seen->during = session_mm_counts(s->owner_mm);
}

/* Within the thread, interrupts off. */
static void work(struct session *s)
{
	switch (s->mode) {
	case ACTIVEMM_LEAVE:
		base_leave();
		s->leaves++;
		break;
	case ACTIVEMM_RELOAD:
		rewrite_as_switches_do(s, false);
		break;
	case ACTIVEMM_FLUSH:
		rewrite_as_switches_do(s, true);
		break;
	default:
		/* lazy, isolated: the switches themselves did all there is to do. */
		break;
	}
	s->round_trips++;
	if (unlikely(s->observe))
		observe(s);
}

/*
 * Both sides hand over with interrupts off from the wake-up until schedule() turns them on again:
 * else a preemptible kernel may switch within the wake-up and leave the waker runnable, to be
 * scheduled once more at its leisure. It also keeps a caller that was killed from being freed
 * (RCU) between the look at ->turn and its wake-up.
 */
int session_thread(void *data)
{
	struct session *s = data;

	if (s->private_mm)
		kthread_use_mm(s->private_mm);
	complete(&s->ready);
	for (;;) {
		local_irq_disable();
		set_current_state(TASK_IDLE);
		/* Pairs with the caller's release: ->caller and ->observe are this turn's. */
		if (smp_load_acquire(&s->turn) == TURN_THREAD) {
			struct task_struct *caller = s->caller;

			work(s);
			/* Pairs with the caller's acquires: what was observed comes first. */
			smp_store_release(&s->turn, TURN_CALLER);
			wake_up_process(caller);
		} else if (kthread_should_stop()) {
			break;
		}
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	local_irq_enable();
	if (s->private_mm)
		kthread_unuse_mm(s->private_mm);
	return 0;
}

/* The thread was woken but has not had the CPU yet, or a signal came. */
static int await_turn(struct session *s)
{
	int err = 0;

	for (;;) {
		set_current_state(TASK_KILLABLE);
		/* Pairs with the thread's release. */
		if (smp_load_acquire(&s->turn) == TURN_CALLER)
			break;
		if (fatal_signal_pending(current)) {
			/* The thread may be answering just now: nobody may hand over after this. */
			err = -EINTR;
			WRITE_ONCE(s->ended, -ECANCELED);
			WRITE_ONCE(s->turn, TURN_CALLER);
			break;
		}
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	return err;
}

int session_hand_over(struct session *s)
{
	int err;

	if (!s->thread)
		return -ENXIO;
	if (current->mm != s->owner_mm)
		return -EPERM;
	local_irq_disable();
	err = READ_ONCE(s->ended);
	/* On the way down the CPU loses its tasks before cpu_going_down() runs. */
	if (!err && smp_processor_id() != s->cpu)
		err = cpu_active(s->cpu) ? -EINVAL : -ENODEV;
	if (unlikely(err)) {
		local_irq_enable();
		return err;
	}
	s->caller = current;
	__set_current_state(TASK_KILLABLE);
	/* The thread acquires ->turn before it wakes us: our state needs no barrier of its own. */
	smp_store_release(&s->turn, TURN_THREAD);
	wake_up_process(s->thread);
	schedule();
	/* Pairs with the thread's release. */
	if (likely(smp_load_acquire(&s->turn) == TURN_CALLER))
		return 0;
	return await_turn(s);
}
