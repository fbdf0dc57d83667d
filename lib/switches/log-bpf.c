// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "lib/switches/log-bpf.h"
#include "lib/switches/counts.h"

#ifdef HAVE_BPF

#include <bpf/libbpf.h>
#include "lib/switches/bpf-load.h"
#include "lib/switches/log.skel.h"

struct log_bpf {
	struct log_skel *bpf;
	struct ring_buffer *ring;
	switch_visit visit; /* during log_bpf_read() */
	void *context;
};

static int entry_visit(void *context, void *data, size_t size)
{
	struct log_bpf *log = context;

	if (size >= sizeof(struct switch_log_entry))
		log->visit(log->context, data);
	return 0;
}

static int log_load(struct log_bpf *log, unsigned int cpu, struct error *error)
{
	int ret;

	log->bpf = log_skel__open();
	if (!log->bpf)
		return bpf_load_error(errno, error);
	log->bpf->rodata->watched_cpu = cpu;
	if (!bpf_tracepoint_exists("tlb_flush"))
		bpf_program__set_autoload(log->bpf->progs.log_flush, false);
	ret = log_skel__load(log->bpf);
	if (ret)
		return bpf_load_error(-ret, error);
	log->ring = ring_buffer__new(bpf_map__fd(log->bpf->maps.entries), entry_visit, log, NULL);
	if (!log->ring)
		return error_set(error, errno, "the switch log's buffer: %s", strerror(errno));
	ret = log_skel__attach(log->bpf);
	return ret ? bpf_load_error(-ret, error) : 0;
}

int log_bpf_open(struct log_bpf **out, unsigned int cpu, struct error *error)
{
	struct log_bpf *log;
	int ret;

	ret = bpf_load_available(error);
	if (ret)
		return ret;
	log = calloc(1, sizeof(*log));
	if (!log)
		return error_set(error, ENOMEM, "no memory for the switch log");
	bpf_load_quiet();
	ret = log_load(log, cpu, error);
	if (ret) {
		log_bpf_close(log);
		return ret;
	}
	*out = log;
	return 0;
}

int log_bpf_read(struct log_bpf *log, switch_visit visit, void *context, uint64_t *lost,
		 struct error *error)
{
	int ret;

	log->visit = visit;
	log->context = context;
	ret = ring_buffer__consume(log->ring);
	if (ret < 0)
		return error_set(error, -ret, "reading the switch log: %s", strerror(-ret));
	if (lost)
		*lost = log->bpf->bss->lost;
	return 0;
}

void log_bpf_close(struct log_bpf *log)
{
	if (!log)
		return;
	ring_buffer__free(log->ring);
	log_skel__destroy(log->bpf);
	free(log);
}

#else

int log_bpf_open(struct log_bpf **log, unsigned int cpu, struct error *error)
{
	(void)log;
	(void)cpu;
	return counts_bpf_available(error);
}

int log_bpf_read(struct log_bpf *log, switch_visit visit, void *context, uint64_t *lost,
		 struct error *error)
{
	(void)log;
	(void)visit;
	(void)context;
	(void)lost;
	return counts_bpf_available(error);
}

void log_bpf_close(struct log_bpf *log)
{
	(void)log;
}

#endif
