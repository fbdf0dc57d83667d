/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A part of a file, line by line, in bounded memory: a line that is too long is refused before it is read. */
#ifndef LIB_BASE_LINES_H
#define LIB_BASE_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define LINE_MOST (16u << 20) /* bytes; a longer line is no record of ours */

struct lines {
	int fd; /* the caller's; read with pread only, so parts may share it */
	off_t at, end; /* the part: lines that begin in [at, end) */
	char *buf;
	size_t size, from, to; /* allocated; unread bytes in it */
	size_t number; /* of the line last returned, from 1 within the part */
	bool over; /* the file ended */
};

/* The lines that begin in [@start, @end) of @fd. 0, -ENOMEM, or -errno of a read. Free with lines_close(). */
int lines_open(struct lines *l, int fd, off_t start, off_t end);

/*
 * The next line, without its newline, in *@line (the reader's; NUL-terminated, good until the next call): its length, *@whole
 * false if the file ended without a newline. -ENODATA after the last line, -EFBIG for a line of more than LINE_MOST bytes, -ENOMEM,
 * or -errno of a read.
 */
ssize_t lines_next(struct lines *l, char **line, bool *whole);

void lines_close(struct lines *l);

#endif
