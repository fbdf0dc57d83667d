// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench/commands/commands.h"
#include "bench/report/report.h"
#include "bench/summary/summary.h"

static const char help[] =
	"usage: activemm report DIR [-o DIR] [--all]\n\n"
	"Draws a result set: pictures (SVG and PNG, by gnuplot) and "
	"report.html, one page that holds all,\n"
	"in the set's own folder or in the one of -o; prints the summary, with --all every "
	"row of it.\n";

static void draw(struct picture *pictures, const struct result_set *set, const json_t *summary,
		 const char *dir)
{
	char subject[160], data[4096];
	const struct picture_place place = {
		.command = "report",
		.plots = "run",
		.dir = dir,
		.data = data,
		.ending = ".dat",
		.subject = subject,
		.warning = !json_is_true(json_object_get(summary, "verified")) ? "UNVERIFIED"
			   : json_is_false(json_object_get(summary, "times_meaningful"))
				   ? "software emulation: only counts mean something"
				   : "",
	};

	report_subject(set, subject, sizeof(subject));
	snprintf(data, sizeof(data), "%s/data", dir);
	pictures_draw(pictures, PICTURES, &place);
}

int cmd_report(int argc, char **argv)
{
	struct picture pictures[PICTURES];
	struct result_set set;
	struct error e = { 0 };
	const char *dir = NULL;
	bool all = false;
	json_t *summary;
	int c, rc;

	opterr = 0;
	optind = 1;
	while ((c = getopt(argc, argv, "o:h-:")) != -1) {
		if (c == 'h' || (c == '-' && !strcmp(optarg, "help"))) {
			fputs(help, stdout);
			return EXIT_DONE;
		}
		if (c == '-' && !strcmp(optarg, "all")) {
			all = true;
			continue;
		}
		if (c != 'o')
			return complain(EXIT_USAGE,
					"report: option '%s' is unknown or lacks its value: see "
					"`activemm report --help'",
					argv[optind - 1]);
		dir = optarg;
	}
	if (optind != argc - 1)
		return complain(EXIT_USAGE,
				"report: name one result set: see `activemm report --help'");
	if (!dir)
		dir = argv[optind];
	if (strlen(dir) > 3000)
		return complain(EXIT_USAGE, "report: that folder's name is too long");
	if (result_read(&set, argv[optind], &e))
		return complain(EXIT_FAILED, "%s", e.text);
	if (set.notice[0])
		complain(0, "%s", set.notice);
	if (report_is_watch(&set)) {
		rc = report_watch(&set, dir, &e);
		result_free(&set);
		return rc ? complain(EXIT_FAILED, "%s", e.text) : EXIT_DONE;
	}
	summary = summary_make(&set, &e);
	rc = summary ? report_data(pictures, summary, &set, dir, &e) : -ENOMEM;
	if (!rc)
		rc = result_write_json(dir, "summary.json", summary, &e);
	if (!rc) {
		draw(pictures, &set, summary, dir);
		rc = report_html(pictures, summary, &set, dir, &e);
	}
	if (!rc) {
		(all ? summary_print_all : summary_print)(summary, &set, stdout);
		printf("\nReport: %s/report.html%s\n", dir,
		       all ? "" : " (every row; in the terminal: --all)");
	}
	json_decref(summary);
	result_free(&set);
	return rc ? complain(EXIT_FAILED, "%s", e.text) : EXIT_DONE;
}
