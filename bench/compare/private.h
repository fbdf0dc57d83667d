/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the files of a comparison share its table. */
#ifndef BENCH_COMPARE_PRIVATE_H
#define BENCH_COMPARE_PRIVATE_H

#include "bench/compare/compare.h"
#include "lib/stats/order.h"
#include "lib/stats/rank.h"
#include "lib/stats/sessions.h"

/* The counts that are compared exactly, and held against a gate. */
#define COMPARE_COUNTS 9
extern const char *const compare_counts[COMPARE_COUNTS];

/* What is known of one group by itself. */
struct facts {
	const struct scan_group *group;
	char scenario[32], params[96]; /* to be shown */
	double *sorted; /* group->ns.v */
	double *sessions; /* the logarithm of each session's median */
	size_t nsessions;
	double between,
		within; /* standard deviations of logarithms, as stats_sessions_split() has them */
	struct stats_order order;
	struct stats_warmup warmup;
	size_t batches; /* of a trial's start that differ from its settled part */
	double batches_p, batches_share;
	double drift_holm, lag1_holm, warmup_holm; /* corrected for the number of groups */
};

struct side {
	struct scan_set *set;
	char *name;
	char *boot; /* where all are boots of one kernel: what this one's command line has and not all have; else NULL */
	struct facts *facts; /* one per group, in the order of the run's plan */
};

/* One quantity of one group in two sets. */
struct row {
	size_t pair; /* number of the other set */
	const struct facts *a, *b; /* b NULL: the other set lacks it */
	const char *quantity;
	bool counts; /* more and fewer, not slower and faster */
	bool refused;
	bool turns; /* the two took turns: what drifts hit both alike, so that trials tell */
	const double *x, *y; /* sorted */
	size_t nx, ny;
	struct interval mx, my; /* of their medians */
	double per[2][COMPARE_COUNTS]; /* the counts of both per round trip, NaN: not counted */
	struct mann_whitney test;
	struct stats_sessions sessions; /* both sides have two or more: they are judged */
	struct stats_difference difference;
	double holm, needed;
	const char *verdict;
};

struct table {
	struct row *rows;
	size_t n;
	double share;
	bool one_session;
};

/* Puts @v in order: its median, NaN without any value. */
double compare_middle(const struct scan_values *v);

/* The facts of set @i, all but the orders' p. 0 or -ENOMEM. */
int side_make(struct side *s, struct scan_set *sets, size_t n, size_t i);
void side_free(struct side *s);

/* Tests the order of trials in all sides' groups and corrects for their number. 0 or -ENOMEM. */
int sides_order(struct side *sides, size_t n);

/* The same group in @s, or NULL. */
const struct facts *facts_like(const struct side *s, const struct facts *f);

/* What a trial series has that its readers should know: an array of sentences about @which side. New reference. */
json_t *facts_notes(const struct facts *f, const char *which);
json_t *facts_json(const struct facts *f);

/* Fills every row's test, difference and verdict. 0 or -ENOMEM. */
int table_judge(struct table *t);

/* What sets are called by: the kernel's release, "" without, and the folder's own name. */
const char *set_release(const struct scan_set *s);
const char *set_folder(const struct scan_set *s);

/* Do two machine records tell of one kernel (release, build, command line, CPU model)? Are two sets one session? */
bool set_same_kernel(const json_t *a, const json_t *b);
bool set_same_session(const char *dir_a, const json_t *a, const char *dir_b, const json_t *b);

/* A word of the kernel's command line that is the boot loader's: it differs and means nothing here. */
bool set_loaders_word(const char *word, size_t len);

/* Fills every side's boot where all sides are boots of one kernel. 0 or -ENOMEM. */
int boots_name(struct side *sides, size_t n);
/* What compare_boots() needs of such a side beside its rows. */
json_t *boot_json(const struct side *s);

/* The pair's "instructions"; NULL without. What the first line says of them, "" without. */
json_t *instructions_compare(const struct side *a, const struct side *b);
void instructions_sentence(const json_t *pair, char *text, size_t len);

/* @s so that it stands there as it is: what Markdown means something by is escaped, in @buf, cut to fit. */
const char *compare_escape(const char *s, bool markdown, char *buf, size_t len);

json_t *row_json(const struct row *row, double share);

#endif
