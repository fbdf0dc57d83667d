/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which machine a machine.json is of. */
#ifndef LIB_RESULTS_NODE_H
#define LIB_RESULTS_NODE_H

#include <jansson.h>
#include <stddef.h>

/* The host's name, the record's; "" without, or where it is what a container engine drew for one run. */
const char *node_host(const json_t *machine);

/*
 * What it is called: its host's name, else "AMD EPYC, 2 CPUs, PRODUCT, KVM". What a boot's parameters change is not in it. Two records with
 * the same name and CPU model are of one machine. @len: NODE_NAME.
 */
#define NODE_NAME 320
void node_name(const json_t *machine, char *buf, size_t len);

/* "AMD EPYC", or "unknown CPU"; the record's. */
const char *node_model(const json_t *machine);

/* The instruction set: "x86", "arm64", as far as the record tells; "" else. */
const char *node_architecture(const json_t *machine);

/* "AMD EPYC, 2 CPUs, PRODUCT, KVM" */
void node_hardware(const json_t *machine, char *buf, size_t len);

#endif
