// SPDX-License-Identifier: GPL-2.0-or-later
/* What the history knows of this machine's sessions, where there is one. */
#include <errno.h>

#include "bench/commands/commands.h"
#include "config.h"
#ifdef HAVE_SQLITE
#include "bench/history/history.h"
#endif

#ifdef HAVE_SQLITE
int spreads_known(const char *db, const json_t *machine, json_t **spreads, struct error *e)
{
	char file[4096];
	struct error ignored;

	*spreads = NULL;
	if (db)
		return history_spreads(db, machine, spreads, e);
	/* The usual file is a help, not a need. */
	if (!history_default_file(file, sizeof(file), &ignored))
		history_spreads(file, machine, spreads, &ignored);
	return 0;
}
#else
int spreads_known(const char *db, const json_t *machine, json_t **spreads, struct error *e)
{
	(void)machine;
	*spreads = NULL;
	return db ? error_set(e, ENOTSUP, "--db: this program was built without SQLite") : 0;
}
#endif
