// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/gnuplot.h"

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

/* Titles are enhanced text: what has a meaning there stands for itself. */
static void escape(const char *text, char *buf, size_t room)
{
	char *end = buf + room - 2;

	for (; *text && buf < end; text++) {
		if (strchr("{}^_@&~\\", *text))
			*buf++ = '\\';
		*buf++ = *text;
	}
	*buf = '\0';
}

/* Runs gnuplot on one program. 0, -ENOENT without gnuplot, or -EIO. */
static int gnuplot_run(const struct drawing *d, const char *plots, const char *terminal)
{
	char program[4096], out[4096], style[4096], title[512], subject[768];
	int status = 0;
	pid_t pid;

	snprintf(program, sizeof(program), "%s/%s.gp", plots, d->name);
	snprintf(style, sizeof(style), "%s/style.gp", plots);
	snprintf(out, sizeof(out), "%s/%s.%s", d->dir, d->name, terminal);
	escape(d->title, title, sizeof(title));
	escape(d->subject, subject, sizeof(subject));
	pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, STDOUT_FILENO);
		/* gnuplot complains of the C locale; and numbers are written with points. */
		setenv("LC_ALL", "C.UTF-8", 1);
		execlp("gnuplot", "gnuplot", "-c", program, terminal, out, d->data, title, subject,
		       d->warning, style, d->argument, (char *)NULL);
		_exit(errno == ENOENT ? 127 : 126);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -EIO;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return -ENOENT;
	return status ? -EIO : 0;
}

int gnuplot_draw(const struct drawing *d, const char **why)
{
	const char *plots = plots_find();
	int rc;

	if (!plots) {
		*why = "the gnuplot programs were not found: set ACTIVEMM_PLOTS";
		return -ENOENT;
	}
	rc = gnuplot_run(d, plots, "svg");
	if (!rc)
		rc = gnuplot_run(d, plots, "png");
	if (rc == -ENOENT)
		*why = "gnuplot is not installed (Debian: gnuplot-nox, Fedora: gnuplot-minimal)";
	else if (rc)
		*why = "gnuplot failed";
	return rc;
}
