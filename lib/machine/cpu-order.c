// SPDX-License-Identifier: GPL-2.0-or-later
/* In which order tasks are placed on more and more CPUs. */
#include <errno.h>
#include <stdlib.h>

#include "lib/machine/cpu-private.h"

#define KEYS 5

struct seat {
	int cpu;
	int thread; /* which hardware thread of its core */
	hwloc_obj_t complex, package;
	int key[KEYS]; /* the order, most significant first */
};

/* The object of that kind around the CPU; the machine where the topology has none. */
static hwloc_obj_t around(hwloc_topology_t hw, hwloc_obj_type_t type, hwloc_obj_t pu)
{
	hwloc_obj_t o = hwloc_get_ancestor_obj_by_type(hw, type, pu);

	return o ? o : hwloc_get_root_obj(hw);
}

static void seat_fill(hwloc_topology_t hw, struct seat *s, int cpu)
{
	hwloc_obj_t pu = hwloc_get_pu_obj_by_os_index(hw, (unsigned int)cpu);
	hwloc_obj_t core = around(hw, HWLOC_OBJ_CORE, pu), complex;

	complex = hwloc_get_ancestor_obj_by_type(hw, HWLOC_OBJ_L3CACHE, pu);
	s->cpu = cpu;
	s->package = around(hw, HWLOC_OBJ_PACKAGE, pu);
	s->complex = complex ? complex : s->package;
	if (core->type == HWLOC_OBJ_CORE)
		for (int c = hwloc_bitmap_first(core->cpuset); c >= 0 && c != cpu;
		     c = hwloc_bitmap_next(core->cpuset, c))
			s->thread++;
}

/* How many CPUs of the same group and hardware thread come before @s, the first CPU of all before any other. */
static int position(const struct seat *seats, int n, const struct seat *s, const struct seat *first,
		    hwloc_obj_t (*group)(const struct seat *))
{
	int before = 0;

	if (s == first)
		return 0;
	for (int i = 0; i < n; i++)
		before += &seats[i] != s && group(&seats[i]) == group(s) &&
			  seats[i].thread == s->thread &&
			  (&seats[i] == first || seats[i].cpu < s->cpu);
	return before;
}

static hwloc_obj_t group_complex(const struct seat *s)
{
	return s->complex;
}

static hwloc_obj_t group_package(const struct seat *s)
{
	return s->package;
}

static void seat_keys(const struct seat *seats, int n, struct seat *s, const struct seat *first,
		      enum cpu_place place)
{
	bool same_complex = s->complex == first->complex,
	     same_package = s->package == first->package;
	int *k = s->key;

	switch (place) {
	case CPU_NEAR:
		*k++ = !same_package;
		*k++ = !same_complex;
		*k++ = s->thread;
		break;
	case CPU_PACKAGE:
		*k++ = !same_package;
		*k++ = s->thread;
		*k++ = position(seats, n, s, first, group_complex);
		*k++ = !same_complex;
		break;
	case CPU_SPREAD:
		*k++ = s->thread;
		*k++ = position(seats, n, s, first, group_package);
		*k++ = !same_package;
		break;
	}
	*k = s == first ? -1 : s->cpu;
}

static int by_key(const void *a, const void *b)
{
	const struct seat *x = a, *y = b;

	for (int i = 0; i < KEYS; i++)
		if (x->key[i] != y->key[i])
			return x->key[i] < y->key[i] ? -1 : 1;
	return 0;
}

int cpu_order(struct cpu_topology *topo, int first, enum cpu_place place, int **cpus,
	      struct error *e)
{
	const struct seat *at = NULL;
	struct seat *seats;
	int n = cpu_allowed(topo, cpus, e);

	if (n < 0)
		return n;
	seats = calloc((size_t)n, sizeof(*seats));
	if (!seats) {
		free(*cpus);
		return error_set(e, ENOMEM, "no memory for a list of %d CPUs", n);
	}
	for (int i = 0; i < n; i++) {
		seat_fill(topo->hw, &seats[i], (*cpus)[i]);
		if (seats[i].cpu == first)
			at = &seats[i];
	}
	for (int i = 0; i < n; i++)
		seat_keys(seats, n, &seats[i], at ? at : &seats[0], place);
	qsort(seats, (size_t)n, sizeof(*seats), by_key);
	for (int i = 0; i < n; i++)
		(*cpus)[i] = seats[i].cpu;
	free(seats);
	return n;
}
