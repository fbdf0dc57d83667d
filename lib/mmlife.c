// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lib/mmlife.h"
#include "lib/switchtrace.h"

#ifdef HAVE_BPF

#include <bpf/libbpf.h>
#include "lib/bpf-load.h"
#include "lib/bpf/mmlife.skel.h"

struct mmlife {
	struct mmlife_bpf *bpf;
	struct ring_buffer *ring;
	mmlife_visit visit; /* during mmlife_read() */
	void *context;
};

static int entry_visit(void *context, void *data, size_t size)
{
	struct mmlife *life = context;

	if (size >= sizeof(struct mm_life_entry))
		life->visit(life->context, data);
	return 0;
}

/* Who may load the log of switches (bpf_load_available()) may load this, too: what is refused then is the attaching. */
static int refused(int code, struct error *error)
{
	if (code == ENOMEM)
		return bpf_load_error(code, error);
	if (code == EPERM || code == EACCES)
		return error_set(error, code, "this kernel refuses fentry%s",
				 geteuid() ? ": run as root" : " even to root (lockdown?)");
	return error_set(error, code,
			 "no fentry here (%s): it needs CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS",
			 strerror(code));
}

static int life_load(struct mmlife *life, struct error *error)
{
	int ret;

	life->bpf = mmlife_bpf__open();
	if (!life->bpf)
		return bpf_load_error(errno, error);
	ret = mmlife_bpf__load(life->bpf);
	if (ret)
		return refused(-ret, error);
	life->ring = ring_buffer__new(bpf_map__fd(life->bpf->maps.entries), entry_visit, life,
				      NULL);
	if (!life->ring)
		return error_set(error, errno, "the buffer of mm ends: %s", strerror(errno));
	ret = mmlife_bpf__attach(life->bpf);
	return ret ? refused(-ret, error) : 0;
}

int mmlife_open(struct mmlife **out, struct error *error)
{
	struct mmlife *life;
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
		mmlife_close(life);
		return ret;
	}
	*out = life;
	return 0;
}

int mmlife_read(struct mmlife *life, mmlife_visit visit, void *context, uint64_t *lost,
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

void mmlife_close(struct mmlife *life)
{
	if (!life)
		return;
	ring_buffer__free(life->ring);
	mmlife_bpf__destroy(life->bpf);
	free(life);
}

#else

int mmlife_open(struct mmlife **life, struct error *error)
{
	(void)life;
	return switchtrace_available(error);
}

int mmlife_read(struct mmlife *life, mmlife_visit visit, void *context, uint64_t *lost,
		struct error *error)
{
	(void)life;
	(void)visit;
	(void)context;
	(void)lost;
	return switchtrace_available(error);
}

void mmlife_close(struct mmlife *life)
{
	(void)life;
}

#endif
