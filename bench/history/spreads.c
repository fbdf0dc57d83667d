// SPDX-License-Identifier: GPL-2.0-or-later
/* How far sessions of one kernel are apart on one machine, for those who judge or plan sessions. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/history/history.h"
#include "lib/base/member.h"

int history_default_file(char *buf, size_t len, struct error *e)
{
	const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
	int n;

	if (data && *data == '/')
		n = snprintf(buf, len, "%s/activemm-bench/history.db", data);
	else if (home && *home)
		n = snprintf(buf, len, "%s/.local/share/activemm-bench/history.db", home);
	else
		return error_set(
			e, ENOENT,
			"history: neither XDG_DATA_HOME nor HOME is set: name the file with "
			"--db");
	return n < (int)len ? 0
			    : error_set(e, ENAMETOOLONG,
					"history: the file's name is too long: name one with --db");
}

static int spread_add(struct history_line *line, void *context)
{
	json_t *list = context, *params;
	struct history_spread s = history_spread(line->points, line->npoints);

	if (line->machine->emulated || !isfinite(s.between))
		return 0;
	params = json_loads(line->series->params, 0, NULL);
	if (params)
		member_append(list, member_pack("{s:o, s:o, s:o, s:o, s:I, s:I}", "scenario",
						member_string(line->series->scenario), "params",
						params, "between", member_real(s.between), "within",
						member_real(s.within), "sets", (json_int_t)s.sets,
						"freedom", (json_int_t)(s.sets - s.kernels)));
	return 0;
}

int history_spreads(const char *file, const json_t *machine, json_t **spreads, struct error *e)
{
	char name[HISTORY_MACHINE];
	const struct history_query q = { .machine = name };
	struct history *h;
	struct history_view v;
	bool emulated;
	int rc = history_open(&h, file, HISTORY_READ, e);

	*spreads = NULL;
	if (rc)
		return rc;
	history_machine_name(machine, &emulated, name, sizeof(name));
	rc = view_make(&v, h, &q, false, e);
	if (!rc) {
		*spreads = json_array();
		/* A part of a name is another machine's. */
		if (!strcmp(history_machine(&v.names, v.machine)->name, name))
			rc = view_lines(&v, spread_add, *spreads, e);
		view_free(&v);
	}
	history_close(h);
	return rc;
}
