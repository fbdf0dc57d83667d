/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a kernel, or a hypervisor below it, does by design instead of what a scenario claims: a claim that fails with the
 * same counts again and again while nobody else is there. No trial is to blame; it is found once, told, and held to.
 */
#ifndef BENCH_HARNESS_FINDINGS_H
#define BENCH_HARNESS_FINDINGS_H

#include <jansson.h>
#include <stdbool.h>

#include "bench/harness/plan.h"
#include "bench/harness/verify.h"

#define FINDING_ATTEMPTS 3 /* that must agree */

/* Attempts in which nothing but the claimed counts was wrong, with nobody else there. */
struct finding_notes {
	unsigned int n;
	bool disagree;
	unsigned int failed; /* a bit for each count that did not hold; the same in all */
	struct verify_count counts[FINDING_ATTEMPTS][VERIFY_COUNTS];
	struct seen seen; /* in the last one */
	bool known; /* that one was of a form that the scenario knows, */
	struct claim form; /* this one */
};

/* What was found of an item. */
struct finding {
	const struct scenario *scenario;
	long params[PARAMS_MAX];
	struct claim claimed;
	struct claim claim; /* what its trials are held to instead */
	bool times; /* its times still are the operation's: it is measured; else it is left out */
	char text[480];
};

struct findings {
	struct finding *list;
	unsigned int n;
};

/* What was counted, as scenarios see it. */
void findings_seen(const struct trial_outcome *out, struct seen *seen);

/* Was the measured CPU the trial's own, but for a task that passed by? */
bool finding_quiet(const struct trial_outcome *out);

/*
 * Takes note of an invalid attempt at @t (as trial_describe() has it); false: somebody else was there, or who was cannot be told, so that
 * it proves nothing.
 */
bool finding_note(struct finding_notes *notes, const struct bench *b, const struct trial *t,
		  const struct trial_outcome *out, const json_t *violations);

/* Is it time for finding_decide()? */
bool finding_ready(const struct finding_notes *notes);

/* True, with @f filled, when enough noted attempts agree; @t: as trial_describe() has it. */
bool finding_decide(const struct finding_notes *notes, const struct trial *t,
		    const struct claim *claim, struct finding *f);

/* Keeps @f, and its record in machine.json's @list. 0 or -ENOMEM. */
int findings_add(struct findings *all, const struct finding *f, json_t *list);

/*
 * Takes over what an earlier part of the run found: its machine.json's @old list, which goes on in @list. 0, -EINVAL where a record names no
 * scenario, or -ENOMEM.
 */
int findings_restore(struct findings *all, const struct bench *b, const json_t *old, json_t *list,
		     struct error *e);

/* What was found of @item with its present parameters, or NULL. */
const struct finding *findings_of(const struct findings *all, const struct plan_item *item);

void findings_free(struct findings *all);

#endif
