// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/membarrier.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/member.h"
#include "lib/base/refusal.h"
#include "lib/machine/ask.h"
#include "lib/machine/record-private.h"

/* From linux/prctl.h, whose older versions lack the last. */
#define SPEC_GET	     52
#define SPEC_SET	     53
#define SPEC_INDIRECT_BRANCH 1
#define SPEC_L1D_FLUSH	     2
#define SPEC_PRCTL	     (1 << 0)
#define SPEC_ENABLE	     (1 << 1)
#define SPEC_DISABLE	     (1 << 2)

#define SPECTRE_V2 "/sys/devices/system/cpu/vulnerabilities/spectre_v2"
#define MELTDOWN   "/sys/devices/system/cpu/vulnerabilities/meltdown"

static int speculation(int which)
{
	int state = prctl(SPEC_GET, which, 0, 0, 0);

	return state < 0 ? -errno : state;
}

static bool has_text(const char *path, const char *word)
{
	char *text = machine_text("%s", path);
	bool has = text && strstr(text, word);

	free(text);
	return has;
}

static int membarrier_possible(struct error *e)
{
	long commands = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);

	if (commands < 0)
		return refusal_set(e, REFUSED_CALL, errno, "membarrier");
	if (!(commands & MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED))
		return error_set(e, EOPNOTSUPP,
				 "membarrier: this kernel knows no private expedited one (Linux "
				 "4.14 and later do, without nohz_full)");
	return 0;
}

/* Why asking for it does nothing here, or NULL. */
static const char *ibpb_lacks(int state)
{
	/* Always on is also where tasks may ask for the sibling's half of it (spectre_v2_user=prctl,ibpb). */
	if (state == SPEC_DISABLE || has_text(SPECTRE_V2, "IBPB: always-on"))
		return "every task has it here, asked for or not (spectre_v2_user=on)";
	if (!(state & SPEC_PRCTL) && state != SPEC_ENABLE)
		return "this CPU is not affected by Spectre v2";
	if (!(state & SPEC_PRCTL) || !has_text(SPECTRE_V2, "IBPB: conditional"))
		return "this kernel has none for tasks (the CPU, or its hypervisor, offers no "
		       "IBPB, or spectre_v2_user=off, or mitigations=off)";
	return NULL;
}

static int ibpb_possible(struct error *e)
{
	int state = speculation(SPEC_INDIRECT_BRANCH);
	const char *why = state < 0 ? NULL : ibpb_lacks(state);

	if (state < 0)
		return refusal_set(e, REFUSED_CALL, -state, "ibpb: PR_GET_SPECULATION_CTRL");
	return why ? error_set(e, EOPNOTSUPP, "ibpb: %s", why) : 0;
}

/* The same. */
static const char *l1d_lacks(int state)
{
	if (state < 0)
		return "this kernel cannot flush the L1 data cache for tasks (Linux 5.15 and "
		       "later can, on x86)";
	if (state & SPEC_PRCTL)
		return NULL;
	if (!has_text("/proc/cpuinfo", " flush_l1d"))
		return "this CPU, or its hypervisor, offers no command that flushes the L1 data "
		       "cache (flush_l1d)";
	return "it is off: boot with l1d_flush=on";
}

static int l1d_possible(int cpu, struct error *e)
{
	int state = speculation(SPEC_L1D_FLUSH);
	const char *why = l1d_lacks(state);
	char path[96];

	if (why)
		return error_set(e, state < 0 ? -state : EOPNOTSUPP, "l1d: %s", why);
	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list",
		 cpu);
	if (has_text(path, ",") || has_text(path, "-"))
		return error_set(e, EOPNOTSUPP,
				 "l1d: CPU %d has an SMT sibling, which shares the cache, so the "
				 "kernel ends tasks that ask: switch SMT off",
				 cpu);
	return 0;
}

int ask_possible(enum ask what, int cpu, struct error *e)
{
	switch (what) {
	case ASK_MEMBARRIER:
		return membarrier_possible(e);
	case ASK_IBPB:
		return ibpb_possible(e);
	default:
		return l1d_possible(cpu, e);
	}
}

/* The command works only for who is registered. */
static int membarrier_ask(struct error *e)
{
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) ||
	    syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0))
		return refusal_set(e, REFUSED_CALL, errno, "membarrier");
	return 0;
}

static int speculation_ask(int which, int how, const char *name, struct error *e)
{
	if (prctl(SPEC_SET, which, how, 0, 0))
		return refusal_set(e, REFUSED_CALL, errno, "%s: PR_SET_SPECULATION_CTRL", name);
	if (speculation(which) != (SPEC_PRCTL | how))
		return error_set(e, EIO, "%s: the kernel took the call and did not keep to it",
				 name);
	return 0;
}

int ask(enum ask what, int cpu, struct error *e)
{
	int rc = ask_possible(what, cpu, e);

	if (rc)
		return rc;
	switch (what) {
	case ASK_MEMBARRIER:
		return membarrier_ask(e);
	case ASK_IBPB:
		return speculation_ask(SPEC_INDIRECT_BRANCH, SPEC_DISABLE, "ibpb", e);
	default:
		return speculation_ask(SPEC_L1D_FLUSH, SPEC_ENABLE, "l1d", e);
	}
}

static json_t *ibpb_record(void)
{
	char *text = machine_text(SPECTRE_V2);
	const char *words = "none";

	if (!text)
		return machine_unavailable("%s: %s", SPECTRE_V2, strerror(errno));
	if (strstr(text, "IBPB: always-on"))
		words = "at every change of mm";
	else if (strstr(text, "IBPB: conditional"))
		words = "between mms of which one asked for it";
	else if (!strncmp(text, "Not affected", 12))
		words = "none: not affected";
	free(text);
	return member_string(words);
}

static json_t *l1d_record(void)
{
	const char *why = l1d_lacks(speculation(SPEC_L1D_FLUSH));

	return why ? member_printf("none: %s", why)
		   : member_string("when a task that asked for it leaves for another mm");
}

json_t *ask_record(void)
{
	json_t *o = json_object();

	member_set(o, "ibpb", ibpb_record());
	member_set(o, "l1d_flush", l1d_record());
	member_set(o, "rsb_filling",
		   member_string(has_text(SPECTRE_V2, "RSB filling") ? "at every switch" : "none"));
	member_set(o, "pti",
		   member_string(has_text(MELTDOWN, "Mitigation: PTI")
					 ? "a second address space per mm, at every way into and "
					   "out of the kernel"
					 : "none"));
	return o;
}
