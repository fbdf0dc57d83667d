// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "lib/switchlog.h"
#include "lib/switchtrace.h"

#ifdef HAVE_BPF

#include <bpf/libbpf.h>
#include "lib/bpf-load.h"
#include "lib/bpf/switchlog.skel.h"

struct switchlog {
	struct switchlog_bpf *bpf;
	struct ring_buffer *ring;
	switchlog_visit visit; /* during switchlog_read() */
	void *context;
};

static int entry_visit(void *context, void *data, size_t size)
{
	struct switchlog *log = context;

	if (size >= sizeof(struct switch_log_entry))
		log->visit(log->context, data);
	return 0;
}

static int log_load(struct switchlog *log, unsigned int cpu, struct error *error)
{
	int ret;

	log->bpf = switchlog_bpf__open();
	if (!log->bpf)
		return bpf_load_error(errno, error);
	log->bpf->rodata->watched_cpu = cpu;
	if (!bpf_tracepoint_exists("tlb_flush"))
		bpf_program__set_autoload(log->bpf->progs.log_flush, false);
	ret = switchlog_bpf__load(log->bpf);
	if (ret)
		return bpf_load_error(-ret, error);
	log->ring = ring_buffer__new(bpf_map__fd(log->bpf->maps.entries), entry_visit, log, NULL);
	if (!log->ring)
		return error_set(error, errno, "the switch log's buffer: %s", strerror(errno));
	ret = switchlog_bpf__attach(log->bpf);
	return ret ? bpf_load_error(-ret, error) : 0;
}

int switchlog_open(struct switchlog **out, unsigned int cpu, struct error *error)
{
	struct switchlog *log;
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
		switchlog_close(log);
		return ret;
	}
	*out = log;
	return 0;
}

int switchlog_read(struct switchlog *log, switchlog_visit visit, void *context, uint64_t *lost,
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

void switchlog_close(struct switchlog *log)
{
	if (!log)
		return;
	ring_buffer__free(log->ring);
	switchlog_bpf__destroy(log->bpf);
	free(log);
}

#else

int switchlog_open(struct switchlog **log, unsigned int cpu, struct error *error)
{
	(void)log;
	(void)cpu;
	return switchtrace_available(error);
}

int switchlog_read(struct switchlog *log, switchlog_visit visit, void *context, uint64_t *lost,
		   struct error *error)
{
	(void)log;
	(void)visit;
	(void)context;
	(void)lost;
	return switchtrace_available(error);
}

void switchlog_close(struct switchlog *log)
{
	(void)log;
}

#endif
