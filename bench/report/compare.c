// SPDX-License-Identifier: GPL-2.0-or-later
/* Where a comparison's pictures and page go, and how they come there. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/report/compare.h"

static const struct {
	const char *name, *caption;
	int (*write)(const struct data *d, const struct comparison *c, struct picture *p);
	bool times; /* says nothing of counts */
} pictures[COMPARE_PICTURES] = {
	{ "compare-trend",
	  "Each panel is a scenario with its plain parameters, each point a side's median "
	  "with its 95 % interval, each ring a session's median, where a side has several; the "
	  "grey band is the base's interval. Axes differ, and none "
	  "begins at 0. "
	  "Where times are refused, each panel is a count per round trip that changed; CR3 loads, "
	  "if "
	  "none did.",
	  picture_compare_trend, false },
	{ "compare-heat",
	  "Red: more than in the base; blue: less; the stronger, the larger, up to 25 %. Grey "
	  "cells did not "
	  "change "
	  "significantly: the same within 2 %, too noisy to tell, or runs that differ where one "
	  "session a "
	  "side does not tell whether the kernels do. A dash: missing, or refused. Where times are "
	  "refused, the rows are the counts that changed; CR3 loads, if none did.",
	  picture_compare_heat, false },
	{ "compare-forest",
	  "A line is a machine: how many times as long the other kernel takes on it, with the 95 % "
	  "interval of its sessions; a diamond is what the machines of a CPU model say together, "
	  "and all, by "
	  "random effects, as wide as its interval. Triangles: machines that answer differently. "
	  "Of more than 40 machines all stand "
	  "in the order of their ratios, and the furthest from their model have lines of their own "
	  "below.",
	  picture_compare_forest, true },
	{ "compare-instructions",
	  "Per round trip, user below kernel, as an emulated clock that goes by instructions "
	  "counts "
	  "them; above a bar its change against the base, where there is one.",
	  picture_compare_instructions, false },
	{ "compare-curves",
	  "Time against the pages that the measured task touches after each switch, a line per "
	  "set, with "
	  "95 % intervals; the sets' points stand a little beside each other.",
	  picture_compare_curves, true },
};

/* Is @name one of the files of a comparison? */
static bool own_file(const char *name)
{
	static const char *const others[] = { "compare.html", "comparison.json",
					      "comparison.json.tmp" };
	char file[64];

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (!strcmp(name, others[i]))
			return true;
	for (int i = 0; i < COMPARE_PICTURES; i++)
		for (int k = 0; k < 3; k++) {
			static const char *const endings[] = { "svg", "png", "dat" };

			snprintf(file, sizeof(file), "%s.%s", pictures[i].name, endings[k]);
			if (!strcmp(name, file))
				return true;
		}
	return false;
}

/* Every entry of @dir: with @clear removed, else looked at. 0, or -EEXIST with a foreign one's name in @e. */
static int entries(const char *dir, bool clear, struct error *e)
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	int rc = 0;

	if (!d)
		return error_set(e, errno, "cannot read %s: %s", dir, strerror(errno));
	while (!rc && (entry = readdir(d))) {
		const char *name = entry->d_name;

		if (!strcmp(name, ".") || !strcmp(name, "..") || !strcmp(name, "data"))
			continue;
		if (!own_file(name))
			rc = error_set(e, EEXIST,
				       "%.200s holds other things than a comparison (%.100s): name "
				       "another folder with -o",
				       dir, name);
		else if (clear && unlinkat(dirfd(d), name, 0))
			rc = error_set(e, errno, "cannot replace %s/%s: %s", dir, name,
				       strerror(errno));
	}
	closedir(d);
	return rc;
}

static int folder_make(const char *dir, struct error *e)
{
	struct stat st;

	if (mkdir(dir, 0777) && errno != EEXIST)
		return error_set(e, errno, "cannot make %s: %s", dir, strerror(errno));
	if (stat(dir, &st) || !S_ISDIR(st.st_mode))
		return error_set(e, ENOTDIR, "%s is no folder: name another with -o", dir);
	if (access(dir, W_OK | X_OK))
		return error_set(e, errno, "cannot write to %s: %s", dir, strerror(errno));
	return 0;
}

int compare_folder(const char *dir, struct error *e)
{
	char *data;
	int rc = folder_make(dir, e);

	if (asprintf(&data, "%s/data", dir) < 0)
		return error_set(e, ENOMEM, "out of memory");
	if (!rc)
		rc = entries(dir, false, e);
	if (!rc)
		rc = folder_make(data, e);
	if (!rc)
		rc = entries(data, false, e);
	/* What is not drawn this time must not stay from the last. */
	if (!rc)
		rc = entries(data, true, e);
	if (!rc)
		rc = entries(dir, true, e);
	free(data);
	return rc;
}

/* What every picture must say: forced, unverified, refused. */
static void warning_fill(const struct comparison *c, char *buf, size_t len)
{
	const char *forced = NULL, *refused = NULL;
	size_t p, nforced = 0, nrefused = 0;
	bool verified = true;
	const json_t *pair;

	json_array_foreach (c->all, p, pair) {
		const char *why = member_text(pair, "times_refused");

		verified &= json_is_true(json_object_get(pair, "base_verified")) &&
			    json_is_true(json_object_get(pair, "other_verified"));
		if (!compare_times_shown(pair)) {
			refused = why;
			nrefused++;
		} else if (*why) {
			forced = why;
			nforced++;
		}
	}
	snprintf(buf, len, "%s", verified ? "" : "UNVERIFIED");
	for (int i = 0; i < 2; i++) {
		const char *why = i ? refused : forced;
		size_t n = i ? nrefused : nforced, used = strlen(buf);

		if (!why)
			continue;
		snprintf(buf + used, len - used, "%s%s", used ? "; " : "",
			 i ? "times refused" : "FORCED");
		used = strlen(buf);
		if (n < json_array_size(c->all))
			snprintf(buf + used, len - used, " (%zu of %zu sides)", n, c->n - 1);
		used = strlen(buf);
		snprintf(buf + used, len - used, ": %s", why);
	}
}

/* "AMD EPYC: 6.1 against 6.0"; of more others their number. */
static void subject_fill(const struct comparison *c, char *buf, size_t len)
{
	const json_t *cpu = json_object_get(c->sets[0].machine, "cpu");
	const char *model = member_text(cpu, "model");
	size_t models = json_array_size(
		json_object_get(json_object_get(json_array_get(c->all, 0), "nodes"), "models"));
	char other[64];

	for (size_t i = 1; i < c->n; i++)
		if (strcmp(member_text(json_object_get(c->sets[i].machine, "cpu"), "model"), model))
			model = "different CPUs";
	if (models > 1)
		model = "different CPUs";
	snprintf(other, sizeof(other), "%.60s", compared_full_name(c, 1));
	if (c->n > 2)
		snprintf(other, sizeof(other), "%zu sides", c->n - 1);
	snprintf(buf, len, "%.60s: %s against %.60s", *model ? model : "unknown CPU", other,
		 compared_full_name(c, 0));
}

static void draw(const struct comparison *c, struct picture *p, const char *subject)
{
	char warning[256], data[4096];
	const struct picture_place place = { "compare", "compare", c->dir, data,
					     ".dat",	subject,   warning };

	warning_fill(c, warning, sizeof(warning));
	snprintf(data, sizeof(data), "%s/data", c->dir);
	pictures_draw(p, COMPARE_PICTURES, &place);
}

static int data_write(const struct comparison *c, struct picture *p, struct error *e)
{
	const struct data d = { .dir = c->dir, .e = e };
	bool times = compared_times(c);
	int rc = 0;

	for (int i = 0; i < COMPARE_PICTURES && !rc; i++, p++) {
		*p = (struct picture){ .name = pictures[i].name, .caption = pictures[i].caption };
		if (pictures[i].times && !times) {
			snprintf(p->title, sizeof(p->title),
				 pictures[i].write == picture_compare_forest
					 ? "What each machine says"
					 : "Time against the working set");
			p->why = "times are refused";
			continue;
		}
		rc = pictures[i].write(&d, c, p);
		if (!p->has_data && pictures[i].write == picture_compare_instructions)
			p->why = "only an emulated clock that goes by instructions counts them "
				 "exactly "
				 "(scripts/kernel-lab run --arch arm64 --accel icount)";
		else if (!p->has_data && pictures[i].write == picture_compare_forest)
			p->why = "no two machines have both kernels";
		else if (!p->has_data)
			p->why = pictures[i].times
					 ? "no scenario has figures of two working sets"
					 : "the sets share no scenario that was timed or counted";
	}
	return rc;
}

int compare_report(const struct comparison *c, FILE *out, struct error *e)
{
	struct picture p[COMPARE_PICTURES];
	char subject[256];
	int rc = data_write(c, p, e);

	if (!rc)
		rc = result_write_json(c->dir, "comparison.json", (json_t *)c->all, e);
	if (rc)
		return rc;
	subject_fill(c, subject, sizeof(subject));
	draw(c, p, subject);
	rc = compare_html(c, p, subject, e);
	if (rc)
		return rc;
	fprintf(out, "\nComparison: %s/compare.html, comparison.json", c->dir);
	for (int i = 0; i < COMPARE_PICTURES; i++)
		if (p[i].drawn)
			fprintf(out, ", %s.svg and .png", p[i].name);
	fprintf(out, ", data/\n");
	return 0;
}
