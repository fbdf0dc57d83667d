// SPDX-License-Identifier: GPL-2.0-or-later
/* Folders -> the sets in them -> the history. */
#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/history/history.h"

#define BATCH 500 /* sets of one transaction */

struct collection {
	struct history *h;
	struct history_tally *tally, pending; /* pending: not yet committed */
	bool whole, open;
	size_t batch;
	time_t begun;
	struct error *e;
};

static int batch_end(struct collection *c)
{
	int rc = c->open ? history_commit(c->h, c->e) : 0;

	if (!rc) {
		c->tally->added += c->pending.added;
		c->tally->known += c->pending.known;
		c->tally->replaced += c->pending.replaced;
	}
	c->open = false;
	c->batch = 0;
	c->pending = (struct history_tally){ 0 };
	return rc;
}

static int batch_begin(struct collection *c)
{
	int rc = history_begin(c->h, c->e);

	c->open = !rc;
	c->begun = time(NULL);
	return rc;
}

static int set_add(struct collection *c, const char *path)
{
	char *dir = realpath(path, NULL);
	enum history_added what;
	bool set_bad = false;
	int rc = c->open ? 0 : batch_begin(c);

	if (!dir) {
		complain(0, "cannot read %.300s: %s", path, strerror(errno));
		c->tally->bad++;
		return rc;
	}
	if (!rc)
		rc = history_add(c->h, dir, &what, &set_bad, c->e);
	free(dir);
	if (rc && set_bad) {
		complain(0, "%s", c->e->text);
		*c->e = (struct error){ 0 };
		c->tally->bad++;
		return 0;
	}
	if (rc)
		return rc;
	c->pending.added += what == HISTORY_NEW;
	c->pending.known += what == HISTORY_KNOWN;
	c->pending.replaced += what == HISTORY_REPLACED;
	/* Others that write wait for no longer than they must. */
	if (!c->whole && (++c->batch == BATCH || time(NULL) - c->begun > 1))
		return batch_end(c);
	return 0;
}

/* Is there a set in @path? */
static bool is_set(const char *path)
{
	char name[4400];

	snprintf(name, sizeof(name), "%.4300s/trials.jsonl", path);
	return !access(name, F_OK);
}

/* In order, so that a machine's sets, which are named by their time, lie so in the file. */
static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int walk(struct collection *c, char *const *dirs)
{
	FTS *fts = fts_open(dirs, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, by_name);
	FTSENT *entry;
	int rc = 0;

	if (!fts)
		return error_set(c->e, errno, "cannot read %.300s: %s", dirs[0], strerror(errno));
	while (!rc && (entry = fts_read(fts))) {
		size_t seen = c->tally->bad;

		if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_NS ||
		    entry->fts_info == FTS_ERR) {
			complain(0, "cannot read %.300s: %s", entry->fts_path,
				 strerror(entry->fts_errno));
			c->tally->bad++;
		} else if (entry->fts_info == FTS_D && entry->fts_level &&
			   entry->fts_name[0] == '.') {
			fts_set(fts, entry, FTS_SKIP);
		} else if (entry->fts_info == FTS_D && is_set(entry->fts_path)) {
			rc = set_add(c, entry->fts_path);
			fts_set(fts, entry, FTS_SKIP);
		} else if (!entry->fts_level && entry->fts_info != FTS_D &&
			   entry->fts_info != FTS_DP && seen == c->tally->bad) {
			complain(0, "%.300s is no folder", entry->fts_path);
			c->tally->bad++;
		}
	}
	fts_close(fts);
	return rc;
}

int history_collect(struct history *h, char *const *dirs, int ndirs, bool whole,
		    struct history_tally *tally, struct error *e)
{
	struct collection c = { .h = h, .tally = tally, .whole = whole, .e = e };
	int rc = 0;

	*tally = (struct history_tally){ 0 };
	if (whole)
		rc = batch_begin(&c);
	if (whole && !rc)
		rc = history_empty(h, e);
	for (int i = 0; i < ndirs && !rc; i++)
		rc = walk(&c, (char *const[]){ dirs[i], NULL });
	/* From nothing no history is made anew. */
	if (!rc && whole && !c.pending.added)
		rc = error_set(e, ENOENT, "history: no set was found: the history stays as it was");
	if (!rc)
		return batch_end(&c);
	if (c.open)
		history_rollback(h);
	return rc;
}
