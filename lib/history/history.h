/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What result sets say, kept in one SQLite file: by machine, kernel, scenario and parameters. The sets stay the truth, and the file can
 * be made anew from them. Functions return 0 or -errno with one line in @e.
 */
#ifndef LIB_HISTORY_HISTORY_H
#define LIB_HISTORY_HISTORY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

struct history;

enum history_use { HISTORY_READ, HISTORY_WRITE };

/*
 * Opens @path; to write, it is made, with its folder, where it is not there. -ENOENT: nothing there to read; -EPROTO: of a newer version,
 * or another program's; -EBADMSG: damaged.
 */
int history_open(struct history **h, const char *path, enum history_use use, struct error *e);
void history_close(struct history *h);

/* Is the whole file sound? Takes as long as reading it. -EBADMSG if not. */
int history_check(struct history *h, struct error *e);

/* A file that is damaged, out of the way: *@kept is its new name (free it). */
int history_set_aside(const char *path, char **kept, struct error *e);

/*
 * What is added between begin and commit is there as a whole or not at all, whatever happens. Another process that writes is
 * waited for, up to a minute.
 */
int history_begin(struct history *h, struct error *e);
/* What is read between this and a rollback is of one moment. */
int history_snapshot(struct history *h, struct error *e);
int history_commit(struct history *h, struct error *e);
void history_rollback(struct history *h);

/* Forgets every set. */
int history_empty(struct history *h, struct error *e);

enum history_added {
	HISTORY_NEW,
	HISTORY_KNOWN, /* its content is there, from this folder or another */
	HISTORY_REPLACED, /* the folder held another set, or less of it */
};

/*
 * Adds the set in @dir, an absolute path. @set_bad: the error is of the set, and the store as it was: go on with others.
 */
int history_add(struct history *h, const char *dir, enum history_added *what, bool *set_bad,
		struct error *e);

struct history_machine {
	int64_t id;
	char *name;
	bool emulated; /* its times mean nothing */
};

struct history_kernel {
	int64_t id;
	char *release;
	char *version; /* uname -v */
	size_t rank; /* in the order of releases */
};

struct history_series {
	int64_t id;
	char *scenario, *params; /* JSON text */
};

/* What there is, by id (ids begin at 1 and may lack some); kernels' ranks are filled. Free with history_names_free(). */
struct history_names {
	struct history_machine *machines;
	struct history_kernel *kernels;
	struct history_series *series;
	size_t nmachines, nkernels, nseries;
};

int history_names(struct history *h, struct history_names *names, struct error *e);
void history_names_free(struct history_names *names);
const struct history_machine *history_machine(const struct history_names *n, int64_t id);
const struct history_kernel *history_kernel(const struct history_names *n, int64_t id);

struct history_set {
	int64_t id, machine, kernel, ended, trials;
	char *dir;
	bool verified;
};

/* All sets of @machine (0: of all) in order of time. Free with history_sets_free(). */
int history_sets(struct history *h, int64_t machine, struct history_set **sets, size_t *n,
		 struct error *e);
void history_sets_free(struct history_set *sets, size_t n);

enum history_count { LOADS, FLUSHES, SWITCHES, IPIS, HISTORY_COUNTS };
extern const char *const history_counters[HISTORY_COUNTS];

struct history_value {
	double median, low, high; /* NaN: not known */
};

/* One series in one set. */
struct history_point {
	int64_t set, machine, kernel, ended;
	size_t rank; /* its kernel's, where the reader fills it */
	struct history_value
		ns; /* per round trip, with the median's distribution-free 95 % interval */
	struct history_value count[HISTORY_COUNTS]; /* per round trip, with the trials' extremes */
};

/* Of one series and @machine (0: of all), by machine, then in order of time; free(3) them. Without @all counts after FLUSHES are NaN. */
int history_points(struct history *h, int64_t series, int64_t machine, bool all,
		   struct history_point **points, size_t *n, struct error *e);

/* Sorts points, which mostly are in order already: by machine or kernel (rank), then by time. 0 or -ENOMEM. */
enum history_order { HISTORY_BY_MACHINE, HISTORY_BY_KERNEL };
int history_points_sort(struct history_point *points, size_t n, enum history_order order);

/* How many machines whose times mean something (of @machine alone, 0: of all) have the series. */
int history_timed(struct history *h, int64_t series, int64_t machine, size_t *n, struct error *e);

/* Order of releases: numbers by value, and a release candidate before its release. As strcmp(3). */
int history_release_order(const char *a, const char *b);

/* What the machine of a machine.json is called here, and whether it is emulated. @len: HISTORY_MACHINE. */
#define HISTORY_MACHINE 512
void history_machine_name(const json_t *machine, bool *emulated, char *buf, size_t len);

/* How far sessions of one kernel are apart, over all kernels that have more than one. */
struct history_spread {
	size_t sets, kernels;
	double between; /* standard deviation of sessions' medians around their kernel's, relative; NaN: no kernel has two */
	double within; /* what of that the trials' own scatter explains; NaN: not known */
};

/* Of points of one series and machine. */
struct history_spread history_spread(const struct history_point *points, size_t n);

#endif
