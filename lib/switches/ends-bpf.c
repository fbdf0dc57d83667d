// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lib/switches/ends-bpf.h"
#include "lib/switches/counts.h"

#ifdef HAVE_BPF

#include <bpf/libbpf.h>
#include "lib/switches/bpf-load.h"
#include "lib/switches/ends.skel.h"

struct ends_bpf {
	struct ends_skel *bpf;
	struct ring_buffer *ring;
	ends_bpf_visit visit; /* during ends_bpf_read() */
	void *context;
};

static int entry_visit(void *context, void *data, size_t size)
{
	struct ends_bpf *life = context;

	if (size >= sizeof(struct mm_life_entry))
		life->visit(life->context, data);
	return 0;
}

/* Who may load the log of switches (bpf_load_available()) may load programs: what is not permitted then is fentry. */
static int refused(int code, bool loading, struct error *error)
{
	if (code == EPERM || code == EACCES)
		return error_set(error, code, "this kernel refuses fentry%s",
				 geteuid() ? ": run as root" : " even to root (lockdown?)");
	if (loading || code == ENOMEM)
		return bpf_load_error(code, error);
	return error_set(error, code,
			 "no fentry here (%s): it needs CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS",
			 strerror(code));
}

static int life_load(struct ends_bpf *life, struct error *error)
{
	int ret;

	life->bpf = ends_skel__open();
	if (!life->bpf)
		return bpf_load_error(errno, error);
	ret = ends_skel__load(life->bpf);
	if (ret)
		return refused(-ret, true, error);
	life->ring = ring_buffer__new(bpf_map__fd(life->bpf->maps.entries), entry_visit, life,
				      NULL);
	if (!life->ring)
		return error_set(error, errno, "the buffer of mm ends: %s", strerror(errno));
	ret = ends_skel__attach(life->bpf);
	return ret ? refused(-ret, false, error) : 0;
}

int ends_bpf_open(struct ends_bpf **out, struct error *error)
{
	struct ends_bpf *life;
	int ret;

	ret = bpf_load_available(error);
	if (ret)
		return ret;
	life = calloc(1, sizeof(*life));
	if (!life)
		return error_set(error, ENOMEM, "no memory for the log of mm ends");
	bpf_load_quiet();
	ret = life_load(life, error);
	if (ret) {
		ends_bpf_close(life);
		return ret;
	}
	*out = life;
	return 0;
}

int ends_bpf_read(struct ends_bpf *life, ends_bpf_visit visit, void *context, uint64_t *lost,
		  struct error *error)
{
	int ret;

	life->visit = visit;
	life->context = context;
	ret = ring_buffer__consume(life->ring);
	if (ret < 0)
		return error_set(error, -ret, "reading the log of mm ends: %s", strerror(-ret));
	if (lost)
		*lost = life->bpf->bss->lost;
	return 0;
}

void ends_bpf_close(struct ends_bpf *life)
{
	if (!life)
		return;
	ring_buffer__free(life->ring);
	ends_skel__destroy(life->bpf);
	free(life);
}

#else

int ends_bpf_open(struct ends_bpf **life, struct error *error)
{
	(void)life;
	return counts_bpf_available(error);
}

int ends_bpf_read(struct ends_bpf *life, ends_bpf_visit visit, void *context, uint64_t *lost,
		  struct error *error)
{
	(void)life;
	(void)visit;
	(void)context;
	(void)lost;
	return counts_bpf_available(error);
}

void ends_bpf_close(struct ends_bpf *life)
{
	(void)life;
}

#endif
