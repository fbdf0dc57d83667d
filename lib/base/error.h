/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the library reports what went wrong: functions return 0 or -errno and leave
 * one line (what, where, what to do) for the one place that prints.
 */
#ifndef LIB_BASE_ERROR_H
#define LIB_BASE_ERROR_H

struct error {
	int code; /* errno, 0 when nothing went wrong */
	char text[512]; /* one line without a newline */
};

/*
 * Fills @e (which may be NULL) and returns -@code, so that callers can write
 * "return error_set(e, EINVAL, ...)".
 */
int error_set(struct error *e, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The one place that prints errors: "activemm: what, where, what to do". Returns @status. */
int complain(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
