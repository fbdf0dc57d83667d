// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Task -> the module's own pinned kernel thread -> task. Borrowing is mode=lazy; the other modes are what a kernel
 * that does not borrow would do instead, with the same hand-over.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench/harness/scenario.h"
#include "kmod/activemm_abi.h"

struct session {
	int fd;
};

/* In the order of enum activemm_mode. */
static const char *const mode_choices[] = { "lazy", "isolated", "leave", "reload", "flush", NULL };

static const struct param params[] = {
	{ "mode", "what the kernel thread does with the address space", mode_choices, 0, 0,
	  ACTIVEMM_LAZY },
	PARAMS_WORKSET,
};

static struct claim claim(const struct trial *t)
{
	struct claim c = { .switches = CLAIM_EXACT(2), .own_switches = 2 };

	switch (trial_param(t, "mode", ACTIVEMM_LAZY)) {
	case ACTIVEMM_ISOLATED:
		c.cr3_loads = (struct claim_range)CLAIM_EXACT(2);
		c.cr3_flushes = (struct claim_range)CLAIM_EXACT(t->pcid ? 0 : 2);
		break;
	case ACTIVEMM_LEAVE:
		/* Whether init_mm keeps an ASID slot of its own is the kernel's choice. */
		c.cr3_loads = (struct claim_range)CLAIM_EXACT(2);
		break;
	default:
		/* The CR3 writes of reload and flush are the module's, which no event shows. */
		c.cr3_loads = (struct claim_range)CLAIM_EXACT(0);
		c.cr3_flushes = (struct claim_range)CLAIM_EXACT(0);
		break;
	}
	return c;
}

static int open_device(struct error *e)
{
	int fd = open(ACTIVEMM_DEVICE, O_RDWR | O_CLOEXEC);
	int err = errno;

	if (fd >= 0)
		return fd;
	if (err == EACCES || err == EPERM)
		return error_set(e, err, ACTIVEMM_DEVICE ": %s: run as root (CAP_SYS_ADMIN)",
				 strerror(err));
	if (access("/proc/modules", F_OK))
		return error_set(e, err,
				 "this kernel loads no modules: boot one that does, or use "
				 "scripts/kernel-lab");
	return error_set(e, err,
			 ACTIVEMM_DEVICE
			 ": %s: load the module: make -C kmod && insmod kmod/activemm.ko",
			 strerror(err));
}

static int possible(const struct trial *t, struct error *e)
{
	long mode = trial_param(t, "mode", ACTIVEMM_LAZY);
	struct activemm_info info = { 0 };
	int fd = open_device(e);
	int rc = 0;

	if (fd < 0)
		return fd;
	if (ioctl(fd, ACTIVEMM_INFO, &info) || info.abi_version != ACTIVEMM_ABI_VERSION)
		rc = error_set(e, EPROTO,
			       "the module loaded is not this suite's: rmmod activemm, make -C "
			       "kmod, insmod kmod/activemm.ko");
	else if (!(info.modes & (1U << mode)) && mode == ACTIVEMM_LEAVE)
		rc = error_set(e, EOPNOTSUPP,
			       "%s kernels have nothing for a module to leave a borrowed mm by: "
			       "mode=leave is for x86",
			       t->arch->name);
	else if (!(info.modes & (1U << mode)))
		rc = error_set(
			e, EOPNOTSUPP,
			"a Xen PV guest may not write CR3: use a PVH or HVM guest for mode=%s",
			mode_choices[mode]);
	close(fd);
	return rc;
}

/* Lends the kernel thread an address space. */
static void sleeper(struct trial *t, unsigned int index)
{
	(void)t;
	(void)index;
	for (;;)
		pause();
}

static void cleanup(struct trial *t)
{
	struct session *s = t->state;

	if (s->fd >= 0)
		close(s->fd);
	trial_reap(t);
	free(s);
}

static int set_up(struct trial *t, struct session *s, struct error *e)
{
	struct activemm_setup setup = {
		.mode = (uint32_t)trial_param(t, "mode", ACTIVEMM_LAZY),
		.cpu = (uint32_t)t->cpu,
	};
	struct activemm_report report;

	s->fd = open_device(e);
	if (s->fd < 0)
		return s->fd;
	if (setup.mode == ACTIVEMM_ISOLATED) {
		setup.pid = trial_fork(t, t->cpu, sleeper, 1, e);
		if (setup.pid < 0)
			return setup.pid;
	}
	if (ioctl(s->fd, ACTIVEMM_SET_UP, &setup) || ioctl(s->fd, ACTIVEMM_REPORT, &report))
		return error_set(e, errno, ACTIVEMM_DEVICE ": no kernel thread for CPU %d: %s",
				 t->cpu, strerror(errno));
	t->kthread = report.thread;
	if (trial_add_task(t, report.thread))
		return error_set(e, ENOMEM, "out of memory");
	return 0;
}

static int prepare(struct trial *t, struct error *e)
{
	struct session *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return error_set(e, ENOMEM, "out of memory");
	s->fd = -1;
	t->state = s;
	rc = set_up(t, s, e);
	if (rc)
		cleanup(t);
	return rc;
}

/* A running total, as other counters are: the driver takes the difference. */
static int count_writes(struct trial *t, const struct session *s)
{
	struct activemm_report report;

	if (ioctl(s->fd, ACTIVEMM_REPORT, &report))
		return -errno;
	t->module_loads = report.cr3_writes;
	return 0;
}

static int round_trips(struct trial *t, uint64_t n, uint64_t *stamps)
{
	const struct session *s = t->state;
	int fd = s->fd, bad = 0;

	ROUND_TRIPS(t, n, stamps, bad |= ioctl(fd, ACTIVEMM_ROUND_TRIP, 0); workset_touch(&t->ws));
	return bad ? -errno : count_writes(t, s);
}

SCENARIO(kthread) = {
	.name = "kthread",
	.summary = "task -> own kernel thread -> task: borrowing, or what borrowing saves (needs "
		   "activemm.ko)",
	.params = params,
	.claim = claim,
	.possible = possible,
	.prepare = prepare,
	.round_trips = round_trips,
	.cleanup = cleanup,
};
