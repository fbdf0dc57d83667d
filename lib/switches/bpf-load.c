// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include "lib/base/refusal.h"
#include "lib/switches/bpf-load.h"

static char first_warning[256];

static int keep_first_warning(enum libbpf_print_level level, const char *format, va_list args)
{
	size_t length;

	if (level != LIBBPF_WARN || first_warning[0])
		return 0;
	vsnprintf(first_warning, sizeof(first_warning), format, args);
	length = strcspn(first_warning, "\n");
	first_warning[length] = '\0';
	return 0;
}

void bpf_load_quiet(void)
{
	first_warning[0] = '\0';
	libbpf_set_print(keep_first_warning);
}

int bpf_load_available(struct error *error)
{
	int fd;

	if (access("/sys/kernel/btf/vmlinux", R_OK))
		return error_set(error, ENOTSUP,
				 "this kernel has no BTF (/sys/kernel/btf/vmlinux: %s): BPF needs "
				 "one built with CONFIG_DEBUG_INFO_BTF, 5.5 or newer",
				 strerror(errno));
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "activemm_probe", 4, 8, 1, NULL);
	if (fd < 0 && errno == ENOSYS) {
		bpf_load_error(ENOSYS, error);
		return -ENOTSUP;
	}
	if (fd < 0)
		return bpf_load_error(errno, error);
	close(fd);
	return 0;
}

int bpf_load_error(int code, struct error *error)
{
	return refusal_set(error, REFUSED_BPF, code, "BPF%s%s%s", first_warning[0] ? " (" : "",
			   first_warning, first_warning[0] ? ")" : "");
}

bool bpf_tracepoint_exists(const char *name)
{
	struct btf *btf = btf__load_vmlinux_btf();
	char type[64];
	bool found;

	if (!btf)
		return false;
	snprintf(type, sizeof(type), "btf_trace_%s", name);
	found = btf__find_by_name_kind(btf, type, BTF_KIND_TYPEDEF) > 0;
	btf__free(btf);
	return found;
}
