/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LIB_HISTORY_PRIVATE_H
#define LIB_HISTORY_PRIVATE_H

#include <sqlite3.h>

#include "lib/history/history.h"

enum statement {
	SET_KNOWN, /* digest */
	SET_MOVED, /* dir, id */
	SET_AT, /* dir */
	SET_DROP, /* id */
	SET_DROP_FIGURES, /* id */
	SET_ADD,
	MACHINE_ADD, /* name, emulated */
	MACHINE_ID, /* name */
	KERNEL_ADD, /* release, version */
	KERNEL_ID,
	SERIES_ADD, /* scenario, params */
	SERIES_ID,
	FIGURE_ADD,
	STATEMENTS
};

struct history {
	sqlite3 *db;
	char *path;
	sqlite3_stmt *statement[STATEMENTS]; /* prepared when first used */
};

/* What SQLite said last, in one line; returns it as -errno. */
int store_error(struct history *h, struct error *e);

/* Runs @sql, which returns nothing. */
int store_run(struct history *h, const char *sql, struct error *e);

/* One of the statements, ready to be bound; NULL with @e. */
sqlite3_stmt *store_statement(struct history *h, enum statement which, struct error *e);

/* Another one, by its text. */
sqlite3_stmt *store_prepare(struct history *h, const char *sql, struct error *e);

#endif
