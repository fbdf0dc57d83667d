/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether BPF programs can be loaded here, and if not: why, in words that help. Only with HAVE_BPF. */
#ifndef LIB_SWITCHES_BPF_LOAD_H
#define LIB_SWITCHES_BPF_LOAD_H

#include <stdbool.h>
#include "lib/base/error.h"

/* 0, or -ENOTSUP or -EPERM with what is missing and how to get it. Loads nothing. */
int bpf_load_available(struct error *error);

/* Keep libbpf's messages to ourselves; bpf_load_error() quotes the one that matters. */
void bpf_load_quiet(void);

/* Explain why loading or attaching failed with `code` (a positive errno). Returns -code. */
int bpf_load_error(int code, struct error *error);

/* Does the running kernel have this tracepoint for typed raw attachment? */
bool bpf_tracepoint_exists(const char *name);

#endif
