// SPDX-License-Identifier: GPL-2.0-or-later
/* The file: made, opened, looked through, and what its failures mean. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/history/private.h"

#define APPLICATION  0x616d6d68 /* "ammh", in the file's header */
#define VERSION	     1
#define PATIENCE     60000 /* ms, for others that write */
#define MOMENT	     10 /* ms */
#define TEXT_(x)     #x
#define TEXT(x)	     TEXT_(x)
#define COUNTS_OF(x) x "_median REAL, " x "_low REAL, " x "_high REAL, "

/* Counts' extremes are NULL where they are the median: nearly always. */
static const char schema[] =
	"CREATE TABLE machine(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, emulated INTEGER "
	"NOT "
	"NULL);"
	"CREATE TABLE kernel(id INTEGER PRIMARY KEY, release TEXT NOT NULL, version TEXT NOT NULL, "
	"UNIQUE(release, version));"
	"CREATE TABLE series(id INTEGER PRIMARY KEY, scenario TEXT NOT NULL, params TEXT NOT NULL, "
	"UNIQUE(scenario, params));"
	"CREATE TABLE sets(id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, dir TEXT NOT NULL "
	"UNIQUE, machine INTEGER NOT NULL REFERENCES machine, kernel INTEGER NOT NULL REFERENCES "
	"kernel, ended INTEGER NOT NULL, trials INTEGER NOT NULL, verified INTEGER NOT NULL);"
	"CREATE TABLE figure(series INTEGER NOT NULL REFERENCES series, \"set\" INTEGER NOT NULL "
	"REFERENCES sets, machine INTEGER NOT NULL, kernel INTEGER NOT NULL, ended INTEGER NOT "
	"NULL, "
	"ns_median REAL, ns_low REAL, ns_high REAL, " COUNTS_OF("loads") COUNTS_OF("flushes")
		COUNTS_OF("switches") COUNTS_OF(
			"ipis") "PRIMARY KEY(series, \"set\")) WITHOUT ROWID;"
				"PRAGMA application_id = " TEXT(
					APPLICATION) "; PRAGMA user_version = " TEXT(VERSION) ";";

static const char *const texts[STATEMENTS] = {
	[SET_KNOWN] = "SELECT id, dir FROM sets WHERE digest = ?1",
	[SET_MOVED] = "UPDATE sets SET dir = ?1 WHERE id = ?2",
	[SET_AT] = "SELECT id FROM sets WHERE dir = ?1",
	[SET_DROP] = "DELETE FROM sets WHERE id = ?1",
	[SET_DROP_FIGURES] =
		"DELETE FROM figure WHERE series IN (SELECT id FROM series) AND \"set\" = ?1",
	[SET_ADD] = "INSERT INTO sets(digest, dir, machine, kernel, ended, trials, verified) "
		    "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[MACHINE_ADD] = "INSERT OR IGNORE INTO machine(name, emulated) VALUES(?1, ?2)",
	[MACHINE_ID] = "SELECT id FROM machine WHERE name = ?1",
	[KERNEL_ADD] = "INSERT OR IGNORE INTO kernel(release, version) VALUES(?1, ?2)",
	[KERNEL_ID] = "SELECT id FROM kernel WHERE release = ?1 AND version = ?2",
	[SERIES_ADD] = "INSERT OR IGNORE INTO series(scenario, params) VALUES(?1, ?2)",
	[SERIES_ID] = "SELECT id FROM series WHERE scenario = ?1 AND params = ?2",
	[FIGURE_ADD] = "INSERT INTO figure VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, "
		       "?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)",
};

int store_error(struct history *h, struct error *e)
{
	int rc = sqlite3_extended_errcode(h->db);
	const char *said = sqlite3_errmsg(h->db), *path = h->path;

	switch (rc & 0xff) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return error_set(
			e, EBADMSG,
			"%.300s is damaged (%.80s): `activemm history rebuild DIR...' makes it "
			"anew from the sets and keeps this one beside it",
			path, said);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return error_set(
			e, EBUSY,
			"%.300s: another process writes to it and did not end within a minute: "
			"try again",
			path);
	case SQLITE_FULL:
		return error_set(e, ENOSPC,
				 "%.300s: no space left on its disk: free some and add again",
				 path);
	case SQLITE_IOERR:
		return error_set(e, EIO, "%.300s: %.80s (%s): what was there before is as it was",
				 path, said, strerror(sqlite3_system_errno(h->db)));
	case SQLITE_NOMEM:
		return error_set(e, ENOMEM, "out of memory");
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_READONLY:
	case SQLITE_AUTH:
		return error_set(
			e, EACCES,
			"%.300s cannot be opened or written (%.80s): name another with --db", path,
			said);
	default:
		return error_set(e, EIO, "%.300s: %.80s", path, said);
	}
}

int store_run(struct history *h, const char *sql, struct error *e)
{
	return sqlite3_exec(h->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : store_error(h, e);
}

sqlite3_stmt *store_prepare(struct history *h, const char *sql, struct error *e)
{
	sqlite3_stmt *s = NULL;

	if (sqlite3_prepare_v2(h->db, sql, -1, &s, NULL) != SQLITE_OK)
		store_error(h, e);
	return s;
}

sqlite3_stmt *store_statement(struct history *h, enum statement which, struct error *e)
{
	if (!h->statement[which])
		h->statement[which] = store_prepare(h, texts[which], e);
	else
		sqlite3_reset(h->statement[which]);
	return h->statement[which];
}

/* The one number that @sql asks for. */
static int number(struct history *h, const char *sql, int64_t *value, struct error *e)
{
	sqlite3_stmt *s = store_prepare(h, sql, e);
	int rc = 0;

	if (!s)
		return -EIO;
	if (sqlite3_step(s) == SQLITE_ROW)
		*value = sqlite3_column_int64(s, 0);
	else
		rc = store_error(h, e);
	sqlite3_finalize(s);
	return rc;
}

/* Whose file it is, and of which version; an empty one is made ours. */
static int version(struct history *h, enum history_use use, struct error *e)
{
	int64_t application = 0, made = 0, tables = 0;
	int rc = number(h, "PRAGMA application_id", &application, e);

	if (!rc)
		rc = number(h, "PRAGMA user_version", &made, e);
	if (!rc)
		rc = number(h, "SELECT count(*) FROM sqlite_master", &tables, e);
	if (rc)
		return e && e->code ? -e->code : rc;
	if (application == APPLICATION && made == VERSION)
		return 0;
	if (application == APPLICATION)
		return error_set(
			e, EPROTO,
			"%.300s is a history of version %lld, and this program knows %d: use the "
			"program that wrote it, or another file (--db)",
			h->path, (long long)made, VERSION);
	if (application || made || tables)
		return error_set(
			e, EPROTO,
			"%.300s is no history, but another program's file: name another with "
			"--db",
			h->path);
	if (use == HISTORY_READ)
		return error_set(
			e, ENOENT,
			"%.300s holds no history yet: add sets with `activemm history add DIR...'",
			h->path);
	return store_run(h, schema, e);
}

/* The folder that @path is in, and those above. */
static int folder_make(const char *path, struct error *e)
{
	char *copy = strdup(path);
	int rc = 0;

	if (!copy)
		return error_set(e, ENOMEM, "out of memory");
	for (char *c = strchr(copy + 1, '/'); c && !rc; c = strchr(c + 1, '/')) {
		*c = '\0';
		if (mkdir(copy, 0777) && errno != EEXIST)
			rc = error_set(e, errno, "cannot make %.300s: %s", copy, strerror(errno));
		*c = '/';
	}
	free(copy);
	return rc;
}

/* SQLite does not wait where one that makes the file changes its kind: another try tells. */
static int log_ahead(struct history *h, struct error *e)
{
	for (int waited = 0;; waited += MOMENT) {
		if (sqlite3_exec(h->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL) == SQLITE_OK)
			return 0;
		if ((sqlite3_extended_errcode(h->db) & 0xff) != SQLITE_BUSY || waited >= PATIENCE)
			return store_error(h, e);
		sqlite3_sleep(MOMENT);
	}
}

static int open_file(struct history *h, enum history_use use, struct error *e)
{
	/* One thread uses it: a lock for each column read was an eighth of the time. */
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
		    (use == HISTORY_WRITE ? SQLITE_OPEN_CREATE : 0),
	    rc;

	if (sqlite3_open_v2(h->path, &h->db, flags, NULL) != SQLITE_OK)
		return h->db ? store_error(h, e) : error_set(e, ENOMEM, "out of memory");
	sqlite3_extended_result_codes(h->db, 1);
	sqlite3_busy_timeout(h->db, PATIENCE);
	if (use == HISTORY_READ)
		return version(h, use, e);
	/* Two that make the same file: the second finds it made. */
	rc = log_ahead(h, e);
	if (!rc)
		rc = store_run(h, "PRAGMA cell_size_check = ON; BEGIN IMMEDIATE", e);
	if (rc)
		return rc;
	rc = version(h, use, e);
	if (!rc)
		return store_run(h, "COMMIT", e);
	history_rollback(h);
	return rc;
}

int history_open(struct history **into, const char *path, enum history_use use, struct error *e)
{
	struct history *h = calloc(1, sizeof(*h));
	struct stat st;
	int rc = 0;

	*into = NULL;
	if (!h || !(h->path = strdup(path))) {
		free(h);
		return error_set(e, ENOMEM, "out of memory");
	}
	if (use == HISTORY_WRITE)
		rc = folder_make(path, e);
	if (!rc && stat(path, &st) && use == HISTORY_READ)
		rc = error_set(e, errno,
			       errno == ENOENT
				       ? "there is no history at %.300s: add sets with `activemm "
					 "history add DIR...', or name it with --db"
				       : "cannot read %.300s",
			       path);
	else if (!rc && !stat(path, &st) && !S_ISREG(st.st_mode))
		rc = error_set(e, EINVAL, "%.300s is no plain file: name another with --db", path);
	if (!rc)
		rc = open_file(h, use, e);
	if (rc) {
		history_close(h);
		return rc;
	}
	*into = h;
	return 0;
}

void history_close(struct history *h)
{
	if (!h)
		return;
	for (int i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(h->statement[i]);
	sqlite3_close(h->db);
	free(h->path);
	free(h);
}

int history_check(struct history *h, struct error *e)
{
	sqlite3_stmt *s = store_prepare(h, "PRAGMA integrity_check(1)", e);
	const char *said;
	int rc = 0;

	if (!s)
		return e && e->code ? -e->code : -EIO;
	if (sqlite3_step(s) != SQLITE_ROW)
		rc = store_error(h, e);
	said = rc ? "" : (const char *)sqlite3_column_text(s, 0);
	if (!rc && (!said || strcmp(said, "ok")))
		rc = error_set(e, EBADMSG,
			       "%.300s is damaged (%.60s): `activemm history rebuild DIR...' makes "
			       "it anew "
			       "from the sets and keeps this one beside it",
			       h->path, said ? said : "?");
	for (char *c = e ? e->text : NULL; rc && c && *c; c++)
		*c = *c == '\n' ? ' ' : *c;
	sqlite3_finalize(s);
	return rc;
}

int history_set_aside(const char *path, char **kept, struct error *e)
{
	static const char *const parts[] = { "", "-wal", "-shm" };
	char *from, *to;
	int rc = 0;

	*kept = NULL;
	for (int n = 1; n < 1000 && !*kept; n++) {
		if (asprintf(&to, "%s.damaged-%d", path, n) < 0)
			return error_set(e, ENOMEM, "out of memory");
		if (access(to, F_OK))
			*kept = to;
		else
			free(to);
	}
	/* The log first: it must not meet another file. */
	for (int i = 2; i >= 0 && !rc && *kept; i--) {
		if (asprintf(&from, "%s%s", path, parts[i]) < 0)
			return error_set(e, ENOMEM, "out of memory");
		if (asprintf(&to, "%s%s", *kept, parts[i]) < 0) {
			free(from);
			return error_set(e, ENOMEM, "out of memory");
		}
		if (rename(from, to) && errno != ENOENT)
			rc = error_set(e, errno, "cannot rename %.300s: %s", from, strerror(errno));
		free(from);
		free(to);
	}
	return rc;
}

int history_begin(struct history *h, struct error *e)
{
	return store_run(h, "BEGIN IMMEDIATE", e);
}

int history_snapshot(struct history *h, struct error *e)
{
	return store_run(h, "BEGIN", e);
}

int history_commit(struct history *h, struct error *e)
{
	int rc = store_run(h, "COMMIT", e);

	if (rc)
		history_rollback(h);
	return rc;
}

void history_rollback(struct history *h)
{
	/* A full disk has rolled back already. */
	if (!sqlite3_get_autocommit(h->db))
		sqlite3_exec(h->db, "ROLLBACK", NULL, NULL, NULL);
}

int history_empty(struct history *h, struct error *e)
{
	return store_run(h,
			 "DELETE FROM figure; DELETE FROM sets; DELETE FROM series; DELETE FROM "
			 "kernel; DELETE FROM machine",
			 e);
}
