// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * /dev/activemm: a kernel thread to switch to and back from on request, to tell what a switch to
 * a kernel thread costs while it borrows the caller's address space and what it would cost if it
 * did not. activemm_abi.h says what callers may rely on.
 */
#include <linux/capability.h>
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/topology.h>
#include <linux/uaccess.h>

#include "session.h"

static LIST_HEAD(sessions);
static DEFINE_SPINLOCK(sessions_lock);
static enum cpuhp_state hotplug_state;

static int round_trip(struct session *s)
{
	int err = mutex_lock_killable(&s->lock);

	if (err)
		return err;
	err = session_hand_over(s);
	mutex_unlock(&s->lock);
	return err;
}

static int observed_round_trip(struct session *s)
{
	struct activemm_counts before;
	int err = mutex_lock_killable(&s->lock);

	if (err)
		return err;
	if (s->thread) {
		before = session_mm_counts(s->owner_mm);
		s->observe = true;
	}
	err = session_hand_over(s);
	s->observe = false;
	if (!err) {
		s->seen.before = before;
		s->seen.after = session_mm_counts(s->owner_mm);
		s->seen.caller_mm = session_mm_id(current->mm);
	}
	mutex_unlock(&s->lock);
	return err;
}

static struct mm_struct *private_mm_of(pid_t nr)
{
	struct task_struct *task;
	struct mm_struct *mm;
	struct pid *pid;

	pid = find_get_pid(nr);
	task = get_pid_task(pid, PIDTYPE_PID);
	put_pid(pid);
	if (!task)
		return ERR_PTR(-ESRCH);
	mm = get_task_mm(task);
	put_task_struct(task);
	if (!mm)
		return ERR_PTR(-ESRCH);
	if (mm == current->mm) {
		mmput(mm);
		return ERR_PTR(-EINVAL);
	}
	return mm;
}

static int start_bound_thread(struct session *s)
{
	struct task_struct *thread;
	int err = 0;

	cpus_read_lock();
	if (s->cpu >= nr_cpu_ids || !cpu_online(s->cpu)) {
		err = -EINVAL;
		goto unlock;
	}
	thread = kthread_create_on_node(session_thread, s, cpu_to_node(s->cpu), "activemm/%u",
					s->cpu);
	if (IS_ERR(thread)) {
		err = PTR_ERR(thread);
		goto unlock;
	}
	kthread_bind(thread, s->cpu);
	s->thread = thread;
	spin_lock(&sessions_lock);
	list_add(&s->list, &sessions);
	spin_unlock(&sessions_lock);
unlock:
	cpus_read_unlock();
	if (err)
		return err;
	wake_up_process(thread);
	/* Killed here, the caller leaves the rest to session_release(). */
	return wait_for_completion_killable(&s->ready);
}

static int check_setup(const struct activemm_setup *setup)
{
	if (setup->mode >= ACTIVEMM_MODES || setup->reserved)
		return -EINVAL;
	if (!(base_modes() & BIT(setup->mode)))
		return -EOPNOTSUPP;
	if (setup->mode == ACTIVEMM_ISOLATED ? setup->pid <= 0 : setup->pid != 0)
		return -EINVAL;
	return 0;
}

static int set_up_locked(struct session *s, const struct activemm_setup *setup)
{
	struct mm_struct *mm = NULL;
	int err;

	if (s->thread)
		return -EBUSY;
	if (setup->mode == ACTIVEMM_ISOLATED) {
		mm = private_mm_of(setup->pid);
		if (IS_ERR(mm))
			return PTR_ERR(mm);
	}
	s->mode = setup->mode;
	s->cpu = setup->cpu;
	s->private_mm = mm;
	s->owner_mm = current->mm;
	mmgrab(s->owner_mm);
	base_set_up(&s->base);
	err = start_bound_thread(s);
	if (!s->thread) {
		mmdrop(s->owner_mm);
		s->owner_mm = NULL;
		s->private_mm = NULL;
		if (mm)
			mmput(mm);
	}
	return err;
}

static int set_up(struct session *s, const void __user *arg)
{
	struct activemm_setup setup;
	int err;

	if (copy_from_user(&setup, arg, sizeof(setup)))
		return -EFAULT;
	err = check_setup(&setup);
	if (err)
		return err;
	err = mutex_lock_killable(&s->lock);
	if (err)
		return err;
	err = set_up_locked(s, &setup);
	mutex_unlock(&s->lock);
	return err;
}

static int report(struct session *s, void __user *arg)
{
	struct activemm_report out;
	int err = mutex_lock_killable(&s->lock);

	if (err)
		return err;
	out = s->seen;
	out.mode = s->mode;
	out.cpu = s->cpu;
	out.thread = s->thread ? task_pid_nr(s->thread) : 0;
	out.round_trips = s->round_trips;
	out.cr3_writes = s->cr3_writes;
	out.leaves = s->leaves;
	err = s->thread ? 0 : -ENXIO;
	mutex_unlock(&s->lock);
	if (err)
		return err;
	return copy_to_user(arg, &out, sizeof(out)) ? -EFAULT : 0;
}

static int info(void __user *arg)
{
	struct activemm_info out = {
		.abi_version = ACTIVEMM_ABI_VERSION,
		.modes = base_modes(),
		.features = base_features(),
	};

	return copy_to_user(arg, &out, sizeof(out)) ? -EFAULT : 0;
}

static long session_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct session *s = file->private_data;

	switch (cmd) {
	case ACTIVEMM_ROUND_TRIP:
		return arg ? -EINVAL : round_trip(s);
	case ACTIVEMM_OBSERVE:
		return arg ? -EINVAL : observed_round_trip(s);
	case ACTIVEMM_SET_UP:
		return set_up(s, (void __user *)arg);
	case ACTIVEMM_REPORT:
		return report(s, (void __user *)arg);
	case ACTIVEMM_INFO:
		return info((void __user *)arg);
	default:
		return -ENOTTY;
	}
}

static int session_open(struct inode *inode, struct file *file)
{
	struct session *s;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	s = kzalloc(sizeof(*s), GFP_KERNEL);
	if (!s)
		return -ENOMEM;
	mutex_init(&s->lock);
	init_completion(&s->ready);
	file->private_data = s;
	return 0;
}

static int session_release(struct inode *inode, struct file *file)
{
	struct session *s = file->private_data;

	if (s->thread) {
		spin_lock(&sessions_lock);
		list_del(&s->list);
		spin_unlock(&sessions_lock);
		kthread_stop(s->thread);
		if (s->private_mm)
			mmput(s->private_mm);
		mmdrop(s->owner_mm);
	}
	kfree(s);
	return 0;
}

/*
 * A round trip under way completes: the scheduler moves both tasks elsewhere. The ones after it
 * fail.
 */
static int cpu_going_down(unsigned int cpu)
{
	struct session *s;

	spin_lock(&sessions_lock);
	list_for_each_entry(s, &sessions, list) {
		if (s->cpu == cpu)
			cmpxchg(&s->ended, 0, -ENODEV);
	}
	spin_unlock(&sessions_lock);
	return 0;
}

static const struct file_operations session_fops = {
	.owner = THIS_MODULE,
	.open = session_open,
	.release = session_release,
	.unlocked_ioctl = session_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "activemm",
	.fops = &session_fops,
	.mode = 0600,
};

static int __init activemm_init(void)
{
	int err;

	session_init_ids();
	err = cpuhp_setup_state_nocalls(CPUHP_AP_ONLINE_DYN, "activemm:online", NULL,
					cpu_going_down);
	if (err < 0)
		return err;
	hotplug_state = err;
	err = misc_register(&device);
	if (err)
		cpuhp_remove_state_nocalls(hotplug_state);
	return err;
}

static void __exit activemm_exit(void)
{
	misc_deregister(&device);
	cpuhp_remove_state_nocalls(hotplug_state);
}

module_init(activemm_init);
module_exit(activemm_exit);

MODULE_DESCRIPTION("A kernel thread to switch to, borrowing the caller's mm or not");
MODULE_LICENSE("GPL");
MODULE_VERSION("1.0");
