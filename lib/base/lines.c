// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/lines.h"

#define FIRST_SIZE (256u << 10) /* stays in the second-level cache */

/* Reads on behind the unread bytes, which move to the front. 0 or -errno; over is set at the file's end. */
static int fill(struct lines *l)
{
	off_t next = l->at;
	ssize_t got;

	if (l->from) {
		memmove(l->buf, l->buf + l->from, l->to - l->from);
		l->to -= l->from;
		l->from = 0;
	}
	if (l->to == l->size) {
		char *more = l->size > LINE_MOST ? NULL : realloc(l->buf, 2 * l->size + 1);

		if (!more)
			return l->size > LINE_MOST ? -EFBIG : -ENOMEM;
		l->buf = more;
		l->size *= 2;
	}
	do
		got = pread(l->fd, l->buf + l->to, l->size - l->to, next + (off_t)l->to);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	l->over = got == 0;
	l->to += (size_t)got;
	return 0;
}

ssize_t lines_next(struct lines *l, char **line, bool *whole)
{
	size_t seen = 0, len;
	char *end;
	int rc;

	if (l->at >= l->end)
		return -ENODATA;
	while (!(end = memchr(l->buf + l->from + seen, '\n', l->to - l->from - seen))) {
		seen = l->to - l->from;
		if (l->over)
			break;
		if (seen > LINE_MOST) {
			l->number++;
			return -EFBIG;
		}
		rc = fill(l);
		if (rc)
			return rc;
	}
	len = end ? (size_t)(end - l->buf) - l->from : l->to - l->from;
	if (!end && !len)
		return -ENODATA;
	l->number++;
	if (len > LINE_MOST)
		return -EFBIG;
	*line = l->buf + l->from;
	*whole = end;
	(*line)[len] = '\0';
	l->from += len + (end ? 1 : 0);
	l->at += (off_t)len + 1;
	return (ssize_t)len;
}

int lines_open(struct lines *l, int fd, off_t start, off_t end)
{
	bool whole;
	ssize_t rc;
	char *line;

	/* A part begins with the first line that begins in it; the one before ends it. */
	*l = (struct lines){
		.fd = fd, .at = start ? start - 1 : 0, .end = end, .size = FIRST_SIZE
	};
	l->buf = malloc(l->size + 1);
	if (!l->buf)
		return -ENOMEM;
	if (!start)
		return 0;
	rc = lines_next(l, &line, &whole);
	l->number = 0;
	if (rc >= 0 || rc == -ENODATA)
		return 0;
	lines_close(l);
	return (int)rc;
}

void lines_close(struct lines *l)
{
	free(l->buf);
	l->buf = NULL;
}
