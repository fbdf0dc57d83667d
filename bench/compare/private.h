/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the files of a comparison share its table. */
#ifndef BENCH_COMPARE_PRIVATE_H
#define BENCH_COMPARE_PRIVATE_H

#include "bench/compare/compare.h"
#include "lib/stats/covariate.h"
#include "lib/stats/order.h"
#include "lib/stats/pooled.h"
#include "lib/stats/rank.h"
#include "lib/stats/sessions.h"

/* The counts that are compared exactly, and held against a gate. */
#define COMPARE_COUNTS 9
extern const char *const compare_counts[COMPARE_COUNTS];

/* A count's values, sorted within each node: those of node i are v[from[i]] to v[from[i + 1]]. */
struct node_values {
	double *v;
	size_t *from;
};

/* What is known of one group by itself. */
struct facts {
	const struct scan_group *group;
	char scenario[32], params[96]; /* to be shown */
	double *sorted; /* group->ns.v */
	double *sessions; /* the logarithm of each session's median */
	size_t nsessions, sets; /* sets: the side's, of which some may lack the group */
	unsigned int *node; /* of each of them; NULL: nodes are not told apart */
	struct node_values *by_node; /* of compare_counts; NULL: the same */
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

/* A row's sides as they would be at one speed of the machine. */
struct adjusted {
	double *x, *y; /* as facts.sessions; NULL: its speed explains nothing of the trials */
	size_t nx, ny;
	double variance; /* of their difference, since slopes are estimates */
	double explained; /* share of the trials' variance within sessions */
	/* By the kind of work, logarithm upon logarithm; how much longer it took beside the other side. NaN: not looked at. */
	double slope[SPEED_KINDS], apart[SPEED_KINDS];
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
	struct node_row *pooled; /* or they are of nodes that have both sides; NULL: not */
	struct stats_sessions raw; /* the same as measured, where they were adjusted */
	struct adjusted adjusted;
	struct stats_difference difference;
	double holm, needed;
	const char *verdict;
};

struct table {
	struct row *rows;
	size_t n;
	double share;
	bool one_session;
	const struct compare_nodes *nodes; /* NULL or none: machines are not told apart */
};

/* Slopes on those pieces of work that are known of all values. */
struct speed_slopes {
	struct stats_slopes by; /* by the number in @x */
	const double *x[SPEED_KINDS]; /* logarithms of what they took */
	int which[SPEED_KINDS];
};

/* Of @value on @x, in @s, which borrows @x; *@believed: they are at a level that is. 0 or -ENOMEM. */
int speed_slopes(const double *value, double *const x[SPEED_KINDS], const size_t *ends,
		 size_t groups, struct speed_slopes *s, bool *believed);

/* What they make of value @i where the work would take @middle. */
double speed_part(const struct speed_slopes *s, size_t i, const double middle[SPEED_KINDS]);

/* Fills @r->adjusted of a row that both sides have. 0 or -ENOMEM; free it in either case. */
int adjust_row(struct row *r);
void adjusted_free(struct row *r);
/* "adjusted": how, and what the row was as measured. */
void adjusted_json(json_t *row, const struct row *r);

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

/* Of compare_refused(); the first cannot be within a node. */
#define COMPARE_OTHER_MODEL   "the CPU models differ"
#define COMPARE_HALF_VERIFIED "only one of the sets is verified"

/* As compare_machines(), of two machines with one kernel: what there is of the hardware and its settings. New reference. */
json_t *compare_nodes_differ(const json_t *a, const json_t *b);

/* What sets are called by: the kernel's release, "" without, and the folder's own name. */
const char *set_release(const struct scan_set *s);
const char *set_folder(const struct scan_set *s);

/* One side's or one node's key of set number @i, by @by, an option's value; new string, NULL with @e. */
char *set_key(const struct scan_set *set, size_t i, const char *by, const char *option,
	      struct error *e);
/* That of its kernel, whatever machine it ran on: without the words of its command line that are among @common. New string. */
char *set_kernel_key(const struct scan_set *set, const char *common);
/* Numbers keys in the order of their first appearance; *@different: how many there are. 0 or -ENOMEM. */
int keys_number(char *const *keys, size_t n, size_t *number, size_t *different);
/* The side called @base, as its sets are: by kernel release or folder; NULL: the first one's. 0 or -EINVAL with @e. */
int side_called(const struct scan_set *sets, size_t n, const size_t *side, const char *base,
		size_t *found, struct error *e);
/* Is the word one of @line's, which spaces part? */
bool word_in(const char *line, const char *word, size_t len);

/* Which machine and side each set is of. */
struct blocks {
	size_t *node, *side; /* by set; side NOT_COMPARED: left out */
	size_t nodes, sides, base;
	size_t *first; /* by side, then node: its first set, NOT_COMPARED without any */
	bool used; /* nodes tell kernels apart; else nothing else here means anything */
};
#define NOT_COMPARED SIZE_MAX

/* Finds them, and fills @nodes where they are used. 0 or -errno with @e: -EINVAL where what shares kernels cannot be pooled. Free in either case. */
int blocks_make(struct blocks *b, const struct scan_set *sets, size_t n,
		const struct compare_by *by, struct compare_nodes *nodes, struct error *e);
void blocks_free(struct blocks *b);
/* Is that set of a node that has the base and another kernel? */
bool blocks_complete(const struct blocks *b, size_t set);

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

/* " on 12 of 40 nodes (AMD EPYC)" of one of a pair's "counts", "" where nodes are not told apart; @buf. */
const char *compare_count_where(const json_t *count, char *buf, size_t len);

json_t *row_json(const struct row *row, const struct table *t);

/* Did the count change from @v to @w, sorted? By more than sound trials may differ, and by more than those of each side do. */
bool count_differs(const struct facts *f, const struct facts *g, const char *count,
		   const struct scan_values *v, const struct scan_values *w);
bool count_is_remote(const char *count);

/* Parts each of @s's counts by node, before anything sorts them. 0 or -ENOMEM. */
int node_counts_make(struct side *s, size_t nodes);
void node_counts_free(struct facts *f);

/* As the pair's "counts": what changed, within each node, by how many of them. @alike: gets what differs between nodes and did not change. New reference. */
json_t *node_counts_compare(const struct side *a, const struct side *b,
			    const struct compare_nodes *nodes, json_t *alike);

/* The pair's "nodes"; @side: the other's number. @rows: the pair's "times". New reference. */
json_t *nodes_json(const struct compare_nodes *nodes, size_t side, const json_t *rows);

/* Has any node both the base and the side of that number? Two machine records of the first such node; new references or NULL. */
bool nodes_share(const struct compare_nodes *nodes, size_t side);
void nodes_machines(const struct compare_nodes *nodes, size_t side, json_t **a, json_t **b);

#endif
