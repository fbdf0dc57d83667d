// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/commands.h"
#include "bench/report.h"
#include "bench/summary.h"

static const char help[] = "usage: activemm report DIR [-o DIR]\n\n"
			   "Draws a result set: pictures (SVG and PNG, by gnuplot) and "
			   "report.html, one page that holds all,\n"
			   "in the set's own folder or in the one of -o; prints the summary.\n";

/* Where the gnuplot programs are: as told, as installed, or in the sources. NULL if nowhere. */
static const char *plots_find(void)
{
	static const char *const places[] = { ACTIVEMM_DATADIR "/plots", ACTIVEMM_SRCDIR "/plots" };
	const char *told = getenv("ACTIVEMM_PLOTS");
	char path[4096];

	if (told)
		return told;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		snprintf(path, sizeof(path), "%s/style.gp", places[i]);
		if (access(path, R_OK) == 0)
			return places[i];
	}
	return NULL;
}

/* Runs gnuplot on one program. 0, -ENOENT without gnuplot, or -EIO. */
static int gnuplot(const struct picture *p, const char *plots, const char *terminal,
		   const char *dir, const char *subject, const char *warning)
{
	char program[4096], out[4096], data[4096], style[4096];
	int status = 0;
	pid_t pid;

	snprintf(program, sizeof(program), "%s/%s.gp", plots, p->name);
	snprintf(style, sizeof(style), "%s/style.gp", plots);
	snprintf(out, sizeof(out), "%s/%s.%s", dir, p->name, terminal);
	snprintf(data, sizeof(data), "%s/data/%s.dat", dir, p->name);
	pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, STDOUT_FILENO);
		/* gnuplot complains of the C locale; and numbers are written with points. */
		setenv("LC_ALL", "C.UTF-8", 1);
		execlp("gnuplot", "gnuplot", "-c", program, terminal, out, data, p->title, subject,
		       warning, style, p->argument, (char *)NULL);
		_exit(errno == ENOENT ? 127 : 126);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -EIO;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return -ENOENT;
	return status ? -EIO : 0;
}

static void draw(struct picture *pictures, const struct result_set *set, const json_t *summary,
		 const char *dir)
{
	const char *plots = plots_find(), *warning = "";
	char subject[160];

	report_subject(set, subject, sizeof(subject));
	if (json_is_false(json_object_get(summary, "times_meaningful")))
		warning = "software emulation: only counts mean something";
	if (!json_is_true(json_object_get(summary, "verified")))
		warning = "UNVERIFIED";
	for (int i = 0; i < PICTURES; i++) {
		struct picture *p = &pictures[i];
		int rc;

		if (!p->has_data)
			continue;
		rc = plots ? gnuplot(p, plots, "svg", dir, subject, warning) : -EIO;
		if (!rc)
			rc = gnuplot(p, plots, "png", dir, subject, warning);
		p->drawn = rc == 0;
		if (rc == -ENOENT)
			p->why = "gnuplot is not installed (Debian: gnuplot-nox, Fedora: "
				 "gnuplot-minimal)";
		else if (rc)
			p->why = plots ? "gnuplot failed"
				       : "the gnuplot programs were not found: set ACTIVEMM_PLOTS";
		if (rc)
			complain(0, "report: %s is not drawn: %s", p->name, p->why);
		if (rc == -ENOENT) { /* say it once */
			for (; i < PICTURES; i++)
				if (pictures[i].has_data)
					pictures[i].why = p->why;
			break;
		}
	}
}

int cmd_report(int argc, char **argv)
{
	struct picture pictures[PICTURES];
	struct result_set set;
	struct error e = { 0 };
	const char *dir = NULL;
	json_t *summary;
	int c, rc;

	opterr = 0;
	optind = 1;
	while ((c = getopt(argc, argv, "o:h-:")) != -1) {
		if (c == 'h' || (c == '-' && !strcmp(optarg, "help"))) {
			fputs(help, stdout);
			return EXIT_DONE;
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
	summary = summary_make(&set, &e);
	rc = summary ? report_data(pictures, summary, &set, dir, &e) : -ENOMEM;
	if (!rc)
		rc = result_write_json(dir, "summary.json", summary, &e);
	if (!rc) {
		draw(pictures, &set, summary, dir);
		rc = report_html(pictures, summary, &set, dir, &e);
	}
	if (!rc) {
		summary_print(summary, &set, stdout);
		printf("\nReport: %s/report.html\n", dir);
	}
	json_decref(summary);
	result_free(&set);
	return rc ? complain(EXIT_FAILED, "%s", e.text) : EXIT_DONE;
}
