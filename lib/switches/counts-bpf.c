// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "lib/switches/counts.h"
#include "lib/machine/clock.h"

#ifdef HAVE_BPF

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include "lib/switches/bpf-load.h"
#include "lib/switches/counts.skel.h"
#include "lib/switches/total.h"

/* Room for pairs: bounded whatever the number of tasks, about 2 MiB on small machines, 16 on large. */
#define PAIRS_MIN     16384
#define PAIRS_PER_CPU 512
#define PAIRS_MAX     131072

/* Room for what is selected while the watch runs. */
#define SELECT_LATER 4096

struct counts_bpf {
	struct counts_skel *bpf;
	unsigned int cpu_count;
	const char *no_loads;
	struct bpf_link *links[2];
	struct switch_total *total; /* in turns */
	struct switch_cpu *cpus; /* what the kernel copies out for one read */
	uint64_t *keys;
	struct switch_row *rows;
	uint32_t row_room;
};

static int cpus_enable(struct counts_bpf *trace, hwloc_const_bitmap_t cpus, struct error *error)
{
	uint32_t zero = 0;

	for (unsigned int cpu = 0; cpu < trace->cpu_count; cpu++) {
		trace->cpus[cpu].number = cpu;
		trace->cpus[cpu].enabled = !cpus || hwloc_bitmap_isset(cpus, cpu);
	}
	if (bpf_map_update_elem(bpf_map__fd(trace->bpf->maps.cpus), &zero, trace->cpus, BPF_ANY))
		return error_set(error, errno, "choosing the CPUs to watch: %s", strerror(errno));
	return 0;
}

static int filter_prepare(struct counts_bpf *trace, const struct switch_options *options,
			  struct error *error)
{
	struct counts_skel *bpf = trace->bpf;
	size_t length;

	bpf->rodata->filter = options->filter;
	if (options->filter == FILTER_COMM) {
		char want[COMM_LEN] = "", mask[COMM_LEN] = "";

		length = strlen(options->comm);
		if (!length || length >= COMM_LEN)
			return error_set(error, EINVAL,
					 "a command name has 1 to 15 characters, not %zu", length);
		/* The NUL is compared, too, unless any rest will do. */
		if (options->comm[length - 1] == '*')
			length--;
		else
			mask[length] = -1;
		memcpy(want, options->comm, length);
		memset(mask, -1, length);
		memcpy((void *)bpf->rodata->filter_comm, want, sizeof(want));
		memcpy((void *)bpf->rodata->filter_mask, mask, sizeof(mask));
	} else if (options->id_count) {
		bpf_map__set_max_entries(bpf->maps.selected, 4 * options->id_count + SELECT_LATER);
	}
	return 0;
}

int counts_bpf_select(struct counts_bpf *trace, const uint64_t *ids, size_t count,
		      struct error *error)
{
	int fd = bpf_map__fd(trace->bpf->maps.selected);
	uint8_t one = 1;

	for (size_t i = 0; i < count; i++)
		if (bpf_map_update_elem(fd, &ids[i], &one, BPF_ANY))
			return error_set(error, errno, "choosing what to watch: %s",
					 strerror(errno));
	return 0;
}

static int program_attach(struct bpf_program *program, struct bpf_link **link, struct error *error)
{
	int ret;

	if (*link || bpf_program__fd(program) < 0)
		return 0;
	*link = bpf_program__attach(program);
	ret = libbpf_get_error(*link);
	if (!ret)
		return 0;
	*link = NULL;
	return bpf_load_error(-ret, error);
}

int counts_bpf_attach(struct counts_bpf *trace, struct error *error)
{
	int ret = program_attach(trace->bpf->progs.on_switch, &trace->links[0], error);

	return ret ? ret : program_attach(trace->bpf->progs.on_flush, &trace->links[1], error);
}

void counts_bpf_detach(struct counts_bpf *trace)
{
	for (int i = 0; i < 2; i++) {
		bpf_link__destroy(trace->links[i]);
		trace->links[i] = NULL;
	}
}

void counts_bpf_window(struct counts_bpf *trace, uint64_t start_ns, uint64_t length_ns)
{
	/* Closed while it is changed: the programs run meanwhile. */
	__atomic_store_n(&trace->bpf->bss->window_length, 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&trace->bpf->bss->window_start, start_ns, __ATOMIC_SEQ_CST);
	__atomic_add_fetch(&trace->bpf->bss->window_number, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&trace->bpf->bss->window_length, length_ns, __ATOMIC_SEQ_CST);
}

/* Addresses in /proc/kallsyms; not every kernel lists its variables, nor to everyone. */
static void addresses_find(struct counts_skel *bpf)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	uint64_t address, loaded = 0, offsets = 0;
	char name[32];

	while (file && fscanf(file, "%" SCNx64 " %*c %31s%*[^\n]", &address, name) == 2) {
		if (!strcmp(name, "cpu_tlbstate"))
			loaded = address;
		else if (!strcmp(name, "__per_cpu_offset"))
			offsets = address;
	}
	if (file)
		fclose(file);
	if (loaded && offsets) {
		bpf->rodata->tlbstate_address = loaded;
		bpf->rodata->offsets_address = offsets;
	}
}

static int trace_load(struct counts_bpf *trace, const struct switch_options *options,
		      struct error *error)
{
	uint32_t room = trace->cpu_count * PAIRS_PER_CPU;
	struct counts_skel *bpf;
	int ret;

	bpf = trace->bpf = counts_skel__open();
	if (!bpf)
		return bpf_load_error(errno, error);
	trace->row_room = room < PAIRS_MIN ? PAIRS_MIN : room > PAIRS_MAX ? PAIRS_MAX : room;
	bpf_map__set_max_entries(bpf->maps.rows, trace->row_room);
	if (options->no_loads)
		trace->no_loads = SWITCH_NO_LOADS_WANTED;
	else if (!bpf_tracepoint_exists("tlb_flush"))
		trace->no_loads = SWITCH_NO_LOADS_KERNEL;
	if (trace->no_loads)
		bpf_program__set_autoload(bpf->progs.on_flush, false);
	bpf->rodata->in_turns = options->in_turns;
	bpf->bss->window_number = 1;
	if (options->in_turns && !trace->no_loads)
		addresses_find(bpf);
	ret = filter_prepare(trace, options, error);
	if (ret)
		return ret;
	ret = counts_skel__load(bpf);
	if (ret)
		return bpf_load_error(-ret, error);
	trace->cpus = calloc(trace->cpu_count, sizeof(*trace->cpus));
	trace->keys = calloc(trace->row_room, sizeof(*trace->keys));
	trace->rows = calloc(trace->row_room, sizeof(*trace->rows));
	if (!trace->cpus || !trace->keys || !trace->rows)
		return error_set(error, ENOMEM, "no memory to read %u pairs", trace->row_room);
	ret = cpus_enable(trace, options->cpus, error);
	if (!ret)
		ret = counts_bpf_select(trace, options->ids, options->id_count, error);
	if (ret)
		return ret;
	return options->in_turns ? switch_total_open(&trace->total, options->cpus, error)
				 : counts_bpf_attach(trace, error);
}

int counts_bpf_open(struct counts_bpf **out, const struct switch_options *options,
		    struct error *error)
{
	struct counts_bpf *trace;
	int ret;

	ret = counts_bpf_available(error);
	if (ret)
		return ret;
	trace = calloc(1, sizeof(*trace));
	if (!trace)
		return error_set(error, ENOMEM, "no memory for the switch counters");
	bpf_load_quiet();
	ret = libbpf_num_possible_cpus();
	if (ret < 0) {
		free(trace);
		return error_set(error, -ret, "the number of possible CPUs cannot be read");
	}
	trace->cpu_count = ret;
	ret = trace_load(trace, options, error);
	if (ret) {
		counts_bpf_close(trace);
		return ret;
	}
	*out = trace;
	return 0;
}

static uint64_t missed(const struct bpf_program *program)
{
	struct bpf_prog_info info = {};
	uint32_t length = sizeof(info);

	if (bpf_program__fd(program) < 0 ||
	    bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &length))
		return 0;
	return info.recursion_misses;
}

static int by_key(const void *left, const void *right)
{
	const struct switch_pair *a = left, *b = right;

	return a->key < b->key ? -1 : a->key > b->key;
}

/* A kernel thread that wandered has a slot on several CPUs, and a row in the map. */
static size_t pairs_merge(struct switch_pair *pairs, size_t count)
{
	size_t merged = 0;

	qsort(pairs, count, sizeof(*pairs), by_key);
	for (size_t i = 0; i < count; i++) {
		struct switch_row *last = merged ? &pairs[merged - 1].row : NULL;
		const struct switch_row *row = &pairs[i].row;

		if (!last || pairs[merged - 1].key != pairs[i].key) {
			pairs[merged++] = pairs[i];
			continue;
		}
		for (int class = 0; class < SWITCH_CLASSES; class ++)
			last->switches[class] += row->switches[class];
		for (int j = 0; j < 2; j++) {
			last->loads[j] += row->loads[j];
			last->sent[j] += row->sent[j];
		}
		last->saved += row->saved;
		if (!last->whose[0])
			memcpy(last->whose, row->whose, COMM_LEN);
	}
	return merged;
}

static int pairs_read(struct counts_bpf *trace, struct switch_snapshot *snapshot,
		      struct error *error)
{
	int fd = bpf_map__fd(trace->bpf->maps.rows);
	size_t room, used = 0;
	uint32_t count = trace->row_room;
	struct switch_pair *pairs;
	uint64_t batch;

	if (bpf_map_lookup_batch(fd, NULL, &batch, trace->keys, trace->rows, &count, NULL) &&
	    errno != ENOENT)
		return error_set(error, errno, "reading the borrowers: %s", strerror(errno));
	room = count + (size_t)trace->cpu_count * SWITCH_SLOTS;
	pairs = realloc(snapshot->pairs, room * sizeof(*pairs));
	if (!pairs)
		return error_set(error, ENOMEM, "no memory for %zu borrowers", room);
	for (uint32_t i = 0; i < count; i++) {
		pairs[used].key = trace->keys[i];
		pairs[used++].row = trace->rows[i];
	}
	for (unsigned int cpu = 0; cpu < trace->cpu_count; cpu++) {
		for (int i = 0; i < SWITCH_SLOTS; i++) {
			const struct switch_slot *slot = &trace->cpus[cpu].slots[i];

			if (!slot->key)
				continue;
			pairs[used].key = slot->key;
			pairs[used++].row = slot->row;
		}
	}
	snapshot->pairs = pairs;
	snapshot->pair_count = pairs_merge(pairs, used);
	return 0;
}

int counts_bpf_look(struct counts_bpf *trace, struct switch_snapshot *snapshot, struct error *error)
{
	struct counts_skel *bpf = trace->bpf;
	uint32_t zero = 0;
	int ret;

	ret = switch_snapshot_resize(snapshot, trace->cpu_count, error);
	if (ret)
		return ret;
	if (bpf_map_lookup_elem(bpf_map__fd(bpf->maps.cpus), &zero, trace->cpus))
		return error_set(error, errno, "reading the switch counters: %s", strerror(errno));
	snapshot->time_ns = clock_monotonic_ns();
	snapshot->in_turns = trace->total;
	if (snapshot->in_turns && !snapshot->seen)
		snapshot->seen = calloc(trace->cpu_count, sizeof(*snapshot->seen));
	if (snapshot->in_turns && !snapshot->seen)
		return error_set(error, ENOMEM, "no memory for the counters of %u CPUs",
				 trace->cpu_count);
	snapshot->cover.seen = 0;
	for (unsigned int cpu = 0; cpu < trace->cpu_count; cpu++) {
		snapshot->cpu[cpu] = trace->cpus[cpu].counts;
		snapshot->cover.seen += trace->cpus[cpu].seen;
		if (snapshot->seen)
			snapshot->seen[cpu] = trace->cpus[cpu].seen;
	}
	switch_snapshot_sum(snapshot);
	snapshot->missed = missed(bpf->progs.on_switch) + missed(bpf->progs.on_flush);
	snapshot->no_loads = trace->no_loads;
	snapshot->loads_by_class = !trace->no_loads;
	snapshot->estimated = false;
	snapshot->classed = 1;
	return 0;
}

int counts_bpf_read(struct counts_bpf *trace, struct switch_snapshot *snapshot, bool with_pairs,
		    struct error *error)
{
	int ret = counts_bpf_look(trace, snapshot, error);

	if (!ret && trace->total)
		ret = switch_total_read(trace->total, &snapshot->cover.all, error);
	if (ret)
		return ret;
	return with_pairs ? pairs_read(trace, snapshot, error) : 0;
}

void counts_bpf_close(struct counts_bpf *trace)
{
	if (!trace)
		return;
	if (trace->bpf)
		counts_bpf_detach(trace);
	counts_skel__destroy(trace->bpf);
	switch_total_close(trace->total);
	free(trace->cpus);
	free(trace->keys);
	free(trace->rows);
	free(trace);
}

int counts_bpf_available(struct error *error)
{
	return bpf_load_available(error);
}

#else

int counts_bpf_available(struct error *error)
{
	return error_set(error, ENOTSUP,
			 "BPF was not built in: install libbpf's headers, clang and bpftool, and "
			 "configure again");
}

int counts_bpf_open(struct counts_bpf **trace, const struct switch_options *options,
		    struct error *error)
{
	(void)trace;
	(void)options;
	return counts_bpf_available(error);
}

int counts_bpf_select(struct counts_bpf *trace, const uint64_t *ids, size_t count,
		      struct error *error)
{
	(void)trace;
	(void)ids;
	(void)count;
	return counts_bpf_available(error);
}

int counts_bpf_look(struct counts_bpf *trace, struct switch_snapshot *snapshot, struct error *error)
{
	(void)trace;
	(void)snapshot;
	return counts_bpf_available(error);
}

int counts_bpf_read(struct counts_bpf *trace, struct switch_snapshot *snapshot, bool with_pairs,
		    struct error *error)
{
	(void)trace;
	(void)snapshot;
	(void)with_pairs;
	return counts_bpf_available(error);
}

int counts_bpf_attach(struct counts_bpf *trace, struct error *error)
{
	(void)trace;
	return counts_bpf_available(error);
}

void counts_bpf_window(struct counts_bpf *trace, uint64_t start_ns, uint64_t length_ns)
{
	(void)trace;
	(void)start_ns;
	(void)length_ns;
}

void counts_bpf_detach(struct counts_bpf *trace)
{
	(void)trace;
}

void counts_bpf_close(struct counts_bpf *trace)
{
	(void)trace;
}

#endif
