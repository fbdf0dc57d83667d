// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/report/gnuplot.h"

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

/* DIR/NAME.KIND, or the place beside it where it is drawn first. malloc'ed. */
static char *picture_path(const struct drawing *d, const char *kind, bool part)
{
	char *path;

	return asprintf(&path, "%s/%s%s.%s%s", d->dir, part ? "." : "", d->name, kind,
			part ? ".part" : "") < 0
		       ? NULL
		       : path;
}

static void picture_remove(const struct drawing *d, const char *kind)
{
	for (int part = 0; part < 2; part++) {
		char *path = picture_path(d, kind, part);

		if (path)
			unlink(path);
		free(path);
	}
}

void gnuplot_remove(const struct drawing *d)
{
	picture_remove(d, "svg");
	picture_remove(d, "png");
}

/* The last line that gnuplot said, without the program's name: all that its error is. */
static void complaint_read(int fd, char *why, size_t room)
{
	FILE *f = fdopen(fd, "r");
	char *line = NULL, *at;
	size_t cap = 0;

	snprintf(why, room, "gnuplot failed");
	if (!f)
		close(fd);
	while (f && getline(&line, &cap, f) > 0) {
		line[strcspn(line, "\n")] = '\0';
		at = strstr(line, " line ");
		if (line[strspn(line, " ^")])
			snprintf(why, room, "gnuplot: %.160s", at ? at + 1 : line);
	}
	free(line);
	if (f)
		fclose(f);
}

static void gnuplot_exec(const struct drawing *d, const char *plots, const char *kind,
			 const char *out, int complaints)
{
	char program[4096], style[4096], title[512], subject[768];
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	snprintf(program, sizeof(program), "%s/%s/%s.gp", plots, d->plots, d->name);
	snprintf(style, sizeof(style), "%s/style.gp", plots);
	escape(d->title, title, sizeof(title));
	escape(d->subject, subject, sizeof(subject));
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(complaints, STDERR_FILENO);
	/* gnuplot complains of the C locale; and numbers are written with points. */
	setenv("LC_ALL", "C.UTF-8", 1);
	execlp("gnuplot", "gnuplot", "-c", program, kind, out, d->data, title, subject, d->warning,
	       style, d->argument, (char *)NULL);
	_exit(errno == ENOENT ? 127 : 126);
}

/* Runs gnuplot on one program; the picture appears when it is whole. 0, -ENOENT without gnuplot, or -EIO. */
static int gnuplot_run(const struct drawing *d, const char *plots, const char *kind, char *why,
		       size_t room)
{
	char *part = picture_path(d, kind, true), *path = picture_path(d, kind, false);
	int status = 0, pipes[2], rc = -EIO;
	struct stat st;
	pid_t pid;

	snprintf(why, room, "gnuplot cannot be started");
	if (!part || !path || pipe2(pipes, O_CLOEXEC))
		goto done;
	pid = fork();
	if (pid == 0)
		gnuplot_exec(d, plots, kind, part, pipes[1]);
	close(pipes[1]);
	complaint_read(pipes[0], why, room);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		goto done;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		rc = -ENOENT;
	else if (!status && !stat(part, &st) && st.st_size > 0 && !rename(part, path))
		rc = 0;
done:
	if (rc && rc != -ENOENT)
		picture_remove(d, kind);
	free(part);
	free(path);
	return rc;
}

int gnuplot_draw(const struct drawing *d, char *why, size_t room)
{
	/* Which pictures this gnuplot cannot make, it cannot make for the next one either. */
	static bool no_png;
	const char *plots = plots_find();
	int rc;

	if (!plots) {
		snprintf(why, room, "the gnuplot programs were not found: set ACTIVEMM_PLOTS");
		return -ENOENT;
	}
	rc = gnuplot_run(d, plots, "svg", why, room);
	if (rc == -ENOENT) {
		snprintf(why, room,
			 "gnuplot is not installed (Debian: gnuplot-nox, Fedora: gnuplot-minimal)");
		return rc;
	}
	if (rc || no_png) {
		picture_remove(d, "png");
		if (!rc)
			why[0] = '\0';
		return rc;
	}
	if (!gnuplot_run(d, plots, "png", why, room)) {
		why[0] = '\0';
	} else if (strstr(why, "terminal")) {
		no_png = true;
		snprintf(
			why, room,
			"this gnuplot has no pngcairo (Debian's gnuplot-nox has): the pictures are "
			"SVG only");
	}
	return 0;
}

char *plots_read(const char *name)
{
	const char *plots = plots_find();
	char path[4096], *text = NULL;
	size_t size = 0;
	FILE *f;

	if (!plots)
		return NULL;
	snprintf(path, sizeof(path), "%s/%s", plots, name);
	f = fopen(path, "re");
	/* The whole file is one item that no NUL ends. */
	if (f && getdelim(&text, &size, '\0', f) <= 0) {
		free(text);
		text = NULL;
	}
	if (f)
		fclose(f);
	return text;
}
