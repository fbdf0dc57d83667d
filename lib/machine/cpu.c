// SPDX-License-Identifier: GPL-2.0-or-later
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* sched_setaffinity(), CPU_ALLOC() */
#endif
#include "lib/machine/cpu.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/refusal.h"
#include "lib/machine/cpu-private.h"

#define SYS_CPU	   "/sys/devices/system/cpu/"
#define LOOK_NS	   50000000
#define STAT_BYTES (1 << 20)

/* Adds the list in @path to @set; an absent file adds nothing. */
static void read_list(const char *path, hwloc_bitmap_t set)
{
	char text[8192];
	hwloc_bitmap_t more = hwloc_bitmap_alloc();
	FILE *f = fopen(path, "re");

	/* hwloc takes an empty list for a full one on some releases */
	if (f && more && fgets(text, sizeof(text), f) && text[0] >= '0' && text[0] <= '9') {
		text[strcspn(text, "\n")] = '\0';
		if (!hwloc_bitmap_list_sscanf(more, text) && hwloc_bitmap_weight(more) > 0)
			hwloc_bitmap_or(set, set, more);
	}
	if (f)
		fclose(f);
	hwloc_bitmap_free(more);
}

/* A process inside an isolated partition sees the partition's CPUs as its own. */
static void read_partition(hwloc_bitmap_t set)
{
	char line[1024], path[1200], kind[32] = "";
	FILE *f = fopen("/proc/self/cgroup", "re");

	if (!f)
		return;
	while (fgets(line, sizeof(line), f)) {
		FILE *p;

		if (strncmp(line, "0::", 3))
			continue;
		line[strcspn(line, "\n")] = '\0';
		snprintf(path, sizeof(path), "/sys/fs/cgroup%s/cpuset.cpus.partition", line + 3);
		p = fopen(path, "re");
		if (!p)
			continue;
		if (fscanf(p, "%31s", kind) == 1 && !strcmp(kind, "isolated")) {
			snprintf(path, sizeof(path), "/sys/fs/cgroup%s/cpuset.cpus.effective",
				 line + 3);
			read_list(path, set);
		}
		fclose(p);
	}
	fclose(f);
}

/* By asking for all of them: the kernel leaves out what the cpuset does not hold. */
static void read_granted(struct cpu_topology *t, hwloc_const_bitmap_t bound)
{
	if (hwloc_set_cpubind(t->hw, t->granted, HWLOC_CPUBIND_THREAD) ||
	    hwloc_get_cpubind(t->hw, t->granted, HWLOC_CPUBIND_THREAD))
		hwloc_bitmap_copy(t->granted, bound);
	hwloc_set_cpubind(t->hw, bound, HWLOC_CPUBIND_THREAD);
}

void cpu_topology_narrow(struct cpu_topology *t, hwloc_const_bitmap_t bound)
{
	hwloc_bitmap_t usual = hwloc_bitmap_dup(t->granted);

	/* What a task inherits where nobody said otherwise: all but the isolated CPUs. */
	if (usual)
		hwloc_bitmap_andnot(usual, usual, t->isolated);
	if (!usual || !hwloc_bitmap_isincluded(usual, bound))
		hwloc_bitmap_and(t->allowed, t->granted, bound);
	else
		hwloc_bitmap_copy(t->allowed, t->granted);
	hwloc_bitmap_free(usual);
}

int cpu_topology_load(struct cpu_topology **topo, struct error *e)
{
	struct cpu_topology *t = calloc(1, sizeof(*t));
	hwloc_bitmap_t bound = hwloc_bitmap_alloc();
	cpu_set_t here;
	int err;

	*topo = NULL;
	if (!t || !bound)
		goto no_memory;
	/* hwloc asks with ever larger sets until one is large enough: for ever, where it is refused for another reason. */
	if (sched_getaffinity(0, sizeof(here), &here) < 0 && errno != EINVAL) {
		err = refusal_set(e, REFUSED_CALL, errno, "the CPUs that are allowed here");
		goto fail;
	}
	t->isolated = hwloc_bitmap_alloc();
	if (!t->isolated || hwloc_topology_init(&t->hw))
		goto no_memory;
	/* CPUs outside our cpuset stay in view: one of them may be a busy SMT sibling. */
	hwloc_topology_set_flags(t->hw, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED);
	if (hwloc_topology_load(t->hw)) {
		err = error_set(e, errno ? errno : EIO, "hwloc cannot read the CPU topology: %s",
				strerror(errno));
		goto fail;
	}
	t->here = hwloc_topology_is_thissystem(t->hw);
	t->granted = hwloc_bitmap_dup(hwloc_topology_get_allowed_cpuset(t->hw));
	if (!t->granted)
		goto no_memory;
	hwloc_bitmap_and(t->granted, t->granted, hwloc_topology_get_topology_cpuset(t->hw));
	t->allowed = hwloc_bitmap_dup(t->granted);
	if (!t->allowed)
		goto no_memory;
	if (t->here) {
		read_list(SYS_CPU "isolated", t->isolated);
		read_list("/sys/fs/cgroup/cpuset.cpus.isolated", t->isolated);
		read_partition(t->isolated);
		if (!hwloc_get_cpubind(t->hw, bound, HWLOC_CPUBIND_THREAD)) {
			read_granted(t, bound);
			cpu_topology_narrow(t, bound);
		}
	}
	if (hwloc_bitmap_iszero(t->allowed)) {
		err = error_set(e, EINVAL,
				"no CPU is allowed to this process: see taskset -p and its cpuset");
		goto fail;
	}
	hwloc_bitmap_free(bound);
	*topo = t;
	return 0;
no_memory:
	err = error_set(e, ENOMEM, "no memory for the CPU topology");
fail:
	hwloc_bitmap_free(bound);
	cpu_topology_free(t);
	return err;
}

void cpu_topology_free(struct cpu_topology *topo)
{
	if (!topo)
		return;
	hwloc_bitmap_free(topo->granted);
	hwloc_bitmap_free(topo->allowed);
	hwloc_bitmap_free(topo->isolated);
	if (topo->hw)
		hwloc_topology_destroy(topo->hw);
	free(topo);
}

bool cpu_has_smt(struct cpu_topology *topo)
{
	for (hwloc_obj_t o = NULL; (o = hwloc_get_next_obj_by_type(topo->hw, HWLOC_OBJ_CORE, o));)
		if (hwloc_bitmap_weight(o->cpuset) > 1)
			return true;
	return false;
}

static void stat_line(const char *text, unsigned int cpu, unsigned long long *busy,
		      unsigned long long *idle)
{
	unsigned long long v[8] = { 0 };
	char label[24];
	const char *at;

	*busy = *idle = 0;
	snprintf(label, sizeof(label), "cpu%u ", cpu);
	at = strstr(text, label);
	if (!at || sscanf(at + strlen(label), "%llu %llu %llu %llu %llu %llu %llu %llu", &v[0],
			  &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7]) < 4)
		return;
	*busy = v[0] + v[1] + v[2] + v[5] + v[6];
	*idle = v[3] + v[4] + v[7];
}

void cpu_busy_between(const char *before, const char *after, hwloc_bitmap_t busy)
{
	unsigned int cpu;

	for (const char *at = after; (at = strstr(at, "cpu")); at += 3) {
		unsigned long long b[2], i[2];

		if (sscanf(at, "cpu%u ", &cpu) != 1)
			continue;
		stat_line(before, cpu, &b[0], &i[0]);
		stat_line(after, cpu, &b[1], &i[1]);
		/* idle time is not monotonic on every kernel: compare signed */
		if (b[1] > b[0] && (long long)(b[1] - b[0]) * 3 >= (long long)(i[1] - i[0]))
			hwloc_bitmap_set(busy, cpu);
	}
}

bool cpu_stat_is_of_cpus(void)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	bool covered = false;
	char *line = NULL;
	size_t cap = 0;

	while (f && !covered && getline(&line, &cap, f) > 0)
		covered = strstr(line, " /proc/stat ") != NULL;
	if (f)
		fclose(f);
	free(line);
	return !covered;
}

static bool read_stat(char *text, size_t size)
{
	FILE *f = cpu_stat_is_of_cpus() ? fopen("/proc/stat", "re") : NULL;
	size_t n;

	if (!f)
		return false;
	n = fread(text, 1, size - 1, f);
	text[n] = '\0';
	fclose(f);
	return n > 0;
}

static void look_busy(hwloc_bitmap_t busy)
{
	struct timespec t = { .tv_nsec = LOOK_NS };
	char *text = malloc(2 * STAT_BYTES);

	if (text && read_stat(text, STAT_BYTES)) {
		while (clock_nanosleep(CLOCK_MONOTONIC, 0, &t, &t) == EINTR)
			;
		if (read_stat(text + STAT_BYTES, STAT_BYTES))
			cpu_busy_between(text, text + STAT_BYTES, busy);
	}
	free(text);
}

static hwloc_obj_t core_of(struct cpu_topology *topo, int cpu)
{
	hwloc_obj_t pu = hwloc_get_pu_obj_by_os_index(topo->hw, (unsigned int)cpu);

	return pu ? hwloc_get_ancestor_obj_by_type(topo->hw, HWLOC_OBJ_CORE, pu) : NULL;
}

static int node_of(struct cpu_topology *topo, int cpu)
{
	hwloc_obj_t pu = hwloc_get_pu_obj_by_os_index(topo->hw, (unsigned int)cpu);
	int node = pu && pu->nodeset ? hwloc_bitmap_first(pu->nodeset) : -1;

	return node < 0 ? 0 : node;
}

static bool same_core(struct cpu_topology *topo, int a, int b)
{
	hwloc_obj_t core = core_of(topo, a);

	return a == b || (core && hwloc_bitmap_isset(core->cpuset, (unsigned int)b));
}

static bool sibling_busy(struct cpu_topology *topo, int cpu, hwloc_const_bitmap_t busy)
{
	hwloc_obj_t core = core_of(topo, cpu);

	if (!core)
		return false;
	for (int c = hwloc_bitmap_first(core->cpuset); c >= 0;
	     c = hwloc_bitmap_next(core->cpuset, c))
		if (c != cpu && hwloc_bitmap_isset(busy, (unsigned int)c))
			return true;
	return false;
}

static int sibling_of(struct cpu_topology *topo, int cpu)
{
	hwloc_obj_t core = core_of(topo, cpu);

	for (int c = core ? hwloc_bitmap_first(core->cpuset) : -1; c >= 0;
	     c = hwloc_bitmap_next(core->cpuset, c))
		if (c != cpu)
			return c;
	return -1;
}

/* Each wish outweighs all those after it; ties go to the lowest number. */
static unsigned int score_cpu(struct cpu_topology *topo, int cpu, hwloc_const_bitmap_t busy)
{
	bool wishes[] = {
		hwloc_bitmap_isset(topo->isolated, (unsigned int)cpu),
		cpu != 0,
		!sibling_busy(topo, cpu, busy),
		!hwloc_bitmap_isset(busy, (unsigned int)cpu),
		!same_core(topo, cpu, 0),
	};
	unsigned int score = 0;

	for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++)
		score = score << 1 | wishes[i];
	return score;
}

static unsigned int score_helper(struct cpu_topology *topo, int cpu, int helper,
				 hwloc_const_bitmap_t busy)
{
	bool wishes[] = {
		!same_core(topo, cpu, helper),
		node_of(topo, cpu) == node_of(topo, helper),
		!hwloc_bitmap_isset(busy, (unsigned int)helper),
		helper != 0,
	};
	unsigned int score = 0;

	for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++)
		score = score << 1 | wishes[i];
	return score;
}

static int choose_helper(struct cpu_topology *topo, int cpu, hwloc_const_bitmap_t busy)
{
	int best = -1;
	unsigned int best_score = 0;

	for (int c = hwloc_bitmap_first(topo->allowed); c >= 0;
	     c = hwloc_bitmap_next(topo->allowed, c)) {
		unsigned int s = c == cpu ? 0 : score_helper(topo, cpu, c, busy);

		if (c != cpu && (best < 0 || s > best_score)) {
			best = c;
			best_score = s;
		}
	}
	return best;
}

static int refuse(struct cpu_topology *topo, int wanted, struct error *e)
{
	hwloc_bitmap_t present = hwloc_bitmap_dup(hwloc_topology_get_complete_cpuset(topo->hw));
	char list[256];
	bool exists, online;

	hwloc_bitmap_list_snprintf(list, sizeof(list), topo->granted);
	if (topo->here && present)
		read_list(SYS_CPU "present", present);
	exists = present && hwloc_bitmap_isset(present, (unsigned int)wanted);
	online = hwloc_bitmap_isset(hwloc_topology_get_topology_cpuset(topo->hw),
				    (unsigned int)wanted);
	hwloc_bitmap_free(present);
	if (!exists)
		return error_set(e, EINVAL, "CPU %d does not exist here: choose one of %s (--cpu)",
				 wanted, list);
	if (!online)
		return error_set(
			e, EINVAL,
			"CPU %d is offline: choose one of %s (--cpu), or as root echo 1 > " SYS_CPU
			"cpu%d/online",
			wanted, list, wanted);
	return error_set(e, EINVAL, "CPU %d is not allowed here: choose one of %s (--cpu)", wanted,
			 list);
}

static void explain(struct cpu_topology *topo, int wanted, struct cpu_choice *c)
{
	const char *zero = c->cpu ? "" : ", CPU 0 with its interrupts";
	const char *busy = c->sibling_busy ? ", its SMT sibling is busy" : "";

	if (wanted >= 0)
		snprintf(c->why, sizeof(c->why), "asked for%s%s%s", c->isolated ? ", isolated" : "",
			 zero, busy);
	else if (hwloc_bitmap_weight(topo->allowed) == 1)
		snprintf(c->why, sizeof(c->why), "the only CPU allowed%s%s%s",
			 c->isolated ? ", isolated" : "", zero, busy);
	else if (c->isolated)
		snprintf(c->why, sizeof(c->why), "isolated from the scheduler%s%s", zero, busy);
	else
		snprintf(c->why, sizeof(c->why), "no CPU is isolated; %s%s",
			 c->cpu ? "the first that is not CPU 0 nor shares a core in use" : "CPU 0",
			 busy);
}

int cpu_choose_among(struct cpu_topology *topo, int wanted, hwloc_const_bitmap_t busy,
		     struct cpu_choice *out, struct error *e)
{
	unsigned int best_score = 0;

	*out = (struct cpu_choice){ .cpu = -1, .helper = -1 };
	if (wanted >= 0) {
		if (!hwloc_bitmap_isset(topo->granted, (unsigned int)wanted))
			return refuse(topo, wanted, e);
		/* The one that is named need not be among those to choose from. */
		hwloc_bitmap_set(topo->allowed, (unsigned int)wanted);
		out->cpu = wanted;
	}
	for (int c = hwloc_bitmap_first(topo->allowed); wanted < 0 && c >= 0;
	     c = hwloc_bitmap_next(topo->allowed, c)) {
		unsigned int s = score_cpu(topo, c, busy);

		if (out->cpu < 0 || s > best_score) {
			out->cpu = c;
			best_score = s;
		}
	}
	out->helper = choose_helper(topo, out->cpu, busy);
	out->node = node_of(topo, out->cpu);
	out->sibling = sibling_of(topo, out->cpu);
	out->isolated = hwloc_bitmap_isset(topo->isolated, (unsigned int)out->cpu);
	out->sibling_busy = sibling_busy(topo, out->cpu, busy);
	explain(topo, wanted, out);
	return 0;
}

int cpu_choose(struct cpu_topology *topo, int wanted, struct cpu_choice *out, struct error *e)
{
	hwloc_bitmap_t busy = hwloc_bitmap_alloc();
	int err;

	if (!busy)
		return error_set(e, ENOMEM, "no memory for a set of CPUs");
	if (topo->here && cpu_has_smt(topo))
		look_busy(busy);
	err = cpu_choose_among(topo, wanted, busy, out, e);
	hwloc_bitmap_free(busy);
	return err;
}

int cpu_allowed_list(struct cpu_topology *topo, char *buf, size_t len)
{
	hwloc_bitmap_list_snprintf(buf, len, topo->allowed);
	return hwloc_bitmap_weight(topo->allowed);
}

int cpu_allowed_count(void)
{
	struct cpu_topology *topo;
	int n;

	if (cpu_topology_load(&topo, NULL))
		return 1;
	n = hwloc_bitmap_weight(topo->allowed);
	cpu_topology_free(topo);
	return n;
}

int cpu_allowed(struct cpu_topology *topo, int **cpus, struct error *e)
{
	int n = hwloc_bitmap_weight(topo->allowed), i = 0;

	*cpus = malloc((size_t)n * sizeof(**cpus));
	if (!*cpus)
		return error_set(e, ENOMEM, "no memory for a list of %d CPUs", n);
	for (int c = hwloc_bitmap_first(topo->allowed); c >= 0;
	     c = hwloc_bitmap_next(topo->allowed, c))
		(*cpus)[i++] = c;
	return n;
}

int cpu_pin(int cpu, struct error *e)
{
	size_t size = CPU_ALLOC_SIZE(cpu + 1);
	cpu_set_t *set;
	int err = 0;

	if (cpu < 0)
		return error_set(e, EINVAL, "CPU %d cannot be pinned to", cpu);
	set = CPU_ALLOC(cpu + 1);
	if (!set)
		return error_set(e, ENOMEM, "no memory for a set of CPUs");
	CPU_ZERO_S(size, set);
	CPU_SET_S((size_t)cpu, size, set);
	if (sched_setaffinity(0, size, set))
		err = error_set(e, errno,
				"pinning to CPU %d: %s (offline, or outside the allowed cpuset?)",
				cpu, strerror(errno));
	CPU_FREE(set);
	if (!err && sched_getcpu() != cpu)
		err = error_set(e, EIO, "pinned to CPU %d, but running on CPU %d", cpu,
				sched_getcpu());
	return err;
}

int cpu_stay_shallow(void)
{
	int fd = open("/dev/cpu_dma_latency", O_WRONLY | O_CLOEXEC);
	int32_t none = 0;

	if (fd < 0)
		return -errno;
	/* The request lasts as long as the descriptor: to the end of the process, whatever that is. */
	if (write(fd, &none, sizeof(none)) != sizeof(none)) {
		int err = errno;

		close(fd);
		return -err;
	}
	return 0;
}
