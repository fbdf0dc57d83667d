// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/harness/findings.h"
#include "bench/harness/record.h"
#include "lib/base/member.h"

/* Attempts agree where they differ by no more than this part of the count, and the edges of a short trial. */
#define AGREE 0.02
#define FEW   0.1 /* switches, as a part of those claimed, that leave an operation what it is */
/*
 * Comings and goings of foreign tasks per round trip that leave a CPU quiet. Those on the helper CPU can take a part of what should
 * happen there, but never all of it three times alike.
 */
#define QUIET	     0.02
#define QUIET_REMOTE 0.3

static double per_round_trip(const struct counter_value *v, const struct trial_outcome *out)
{
	return v->available && out->counted ? (double)v->value / (double)out->counted : 0;
}

void findings_seen(const struct trial_outcome *out, struct seen *seen)
{
	*seen = (struct seen){
		.switches = per_round_trip(&out->counters[COUNTER_CONTEXT_SWITCHES], out),
		.loads = per_round_trip(&out->counters[COUNTER_CR3_LOADS], out),
		.flushes = per_round_trip(&out->counters[COUNTER_CR3_FLUSHES], out),
		.tlb_ipis = per_round_trip(&out->counters[COUNTER_TLB_IPIS], out),
		.shootdowns = per_round_trip(&out->counters[COUNTER_TLB_SHOOTDOWNS], out),
		.remote_loads = per_round_trip(&out->remote[COUNTER_CR3_LOADS], out),
		.remote_tlb_ipis = per_round_trip(&out->remote[COUNTER_TLB_IPIS], out),
		.remote_shootdowns = per_round_trip(&out->remote[COUNTER_TLB_SHOOTDOWNS], out),
		.remote_left = per_round_trip(&out->remote[COUNTER_TLB_SHOOTDOWNS_LEFT], out),
	};
}

static bool quiet(const struct intruders *in, const struct trial_outcome *out, double share)
{
	double came = 0;

	for (unsigned int i = 0; i < in->n; i++)
		if (!verify_follows(&out->claim, in->list[i].comm))
			came += (double)in->list[i].switches;
	return came <= fmax(VERIFY_EDGE, share * (double)out->counted);
}

bool finding_quiet(const struct trial_outcome *out)
{
	return quiet(&out->intruders, out, QUIET);
}

/* Is nothing wrong but claimed counts? The own tasks' switches go with the CPU's. */
static bool only_counts(const json_t *violations, const struct verify_count *counts)
{
	json_t *v;
	size_t i;

	json_array_foreach ((json_t *)violations, i, v) {
		const char *what = json_string_value(json_object_get(v, "what"));
		bool count = what && !strcmp(what, "own-switches");

		for (int k = 0; k < VERIFY_COUNTS && what; k++)
			count |= !strcmp(what, counts[k].name);
		if (!count)
			return false;
	}
	return true;
}

/* Do the counts hold to another form that the scenario knows? Whoever else is there, that is no chance. */
static bool known_form(struct finding_notes *notes, const struct bench *b, const struct trial *t,
		       const struct trial_outcome *out)
{
	struct verify_count counts[VERIFY_COUNTS];
	struct trial_outcome as = *out;
	struct seen seen;

	findings_seen(out, &seen);
	if (!t->scenario || !t->scenario->form || !t->scenario->form(t, &seen, &as.claim))
		return false;
	verify_counts(b, &as, counts);
	for (unsigned int i = 0; i < VERIFY_COUNTS; i++)
		if (counts[i].judged && !counts[i].holds)
			return false;
	notes->known = true;
	notes->form = as.claim;
	notes->seen = seen;
	return true;
}

bool finding_ready(const struct finding_notes *notes)
{
	return notes->known || notes->n == FINDING_ATTEMPTS;
}

bool finding_note(struct finding_notes *notes, const struct bench *b, const struct trial *t,
		  const struct trial_outcome *out, const json_t *violations)
{
	struct verify_count *counts = notes->counts[notes->n % FINDING_ATTEMPTS];
	unsigned int failed = 0, remote = 0;

	verify_counts(b, out, counts);
	for (unsigned int i = 0; i < VERIFY_COUNTS; i++) {
		if (!counts[i].judged || counts[i].holds)
			continue;
		failed |= 1u << i;
		remote |= (unsigned int)counts[i].remote << i;
	}
	if (!failed || !b->observe || !only_counts(violations, counts))
		return false;
	if (known_form(notes, b, t, out))
		return true;
	if (!finding_quiet(out) ||
	    (remote && (!out->remote_watched || !quiet(&out->remote_intruders, out, QUIET_REMOTE))))
		return false;
	notes->disagree |= notes->n && failed != notes->failed;
	notes->failed = failed;
	notes->n++;
	findings_seen(out, &notes->seen);
	return true;
}

/* The count that all attempts share: a whole number where it is one, else all that was seen. False where there is none. */
static bool agreed(const struct finding_notes *notes, unsigned int which, struct claim_range *r)
{
	double low = HUGE_VAL, high = 0, slack = 0, middle;

	for (unsigned int i = 0; i < FINDING_ATTEMPTS; i++) {
		const struct verify_count *c = &notes->counts[i][which];

		low = fmin(low, c->per);
		high = fmax(high, c->per);
		slack = fmax(slack, c->slack);
	}
	if (high - low > fmax(AGREE * fmax(high, 1), 2 * slack))
		return false;
	middle = round((low + high) / 2);
	if (low >= middle - slack && high <= middle + slack)
		*r = (struct claim_range){ true, middle, middle };
	else
		*r = (struct claim_range){ true, low, high };
	return true;
}

/* "0.00 CR3 loads per round trip where 2 are claimed, ..." */
static void counts_text(const struct finding_notes *notes, struct claim claim, char *buf,
			size_t len)
{
	buf[0] = '\0';
	for (unsigned int i = 0; i < VERIFY_COUNTS; i++) {
		const struct verify_count *c = &notes->counts[FINDING_ATTEMPTS - 1][i];
		const struct claim_range *r = verify_range(&claim, c);
		size_t used = strlen(buf);
		char range[48];

		if (!(notes->failed & 1u << i))
			continue;
		if (r->min == r->max)
			snprintf(range, sizeof(range), "%g", r->min);
		else if (isinf(r->max))
			snprintf(range, sizeof(range), "at least %g", r->min);
		else
			snprintf(range, sizeof(range), "%g to %g", r->min, r->max);
		snprintf(buf + used, len - used, "%s%.2f %s per round trip where %s %s claimed",
			 used ? ", " : "", c->per, c->noun, range,
			 r->min == r->max && r->min == 1 ? "is" : "are");
	}
}

/* Is there but a switch more, or less, now and then? */
static bool now_and_then(const struct claim *claim, const struct claim *found)
{
	return found->switches.min >= (1 - FEW) * claim->switches.min &&
	       found->switches.max <= (1 + FEW) * claim->switches.max;
}

static const char *why(const struct claim *claim, bool same, bool fewer)
{
	if (fewer)
		return "now and then what ends the idling comes before it begins (a longer sleep "
		       "helps)";
	/* Seen on one CPU of virtual machines, now and then: a look that found them there proves little. */
	if (claim->idle && !same)
		return "this kernel does so by design, or its tracepoints miss what happens on the "
		       "way out of idle (try another CPU: --cpu)";
	return "this kernel does so by design";
}

static void finding_begin(struct finding *f, const struct trial *t, const struct claim *claim,
			  const struct claim *found)
{
	memset(f, 0, sizeof(*f));
	f->scenario = t->scenario;
	memcpy(f->params, t->params, sizeof(f->params));
	f->claimed = *claim;
	f->claim = *found;
}

bool finding_decide(const struct finding_notes *notes, const struct trial *t,
		    const struct claim *claim, struct finding *f)
{
	struct claim found = *claim;
	bool others = true, fewer = false;

	if (notes->known) {
		finding_begin(f, t, claim, &notes->form);
		f->times = true;
		t->scenario->found(t, &notes->seen, f->text, sizeof(f->text));
		return true;
	}
	if (notes->n < FINDING_ATTEMPTS || notes->disagree)
		return false;
	for (unsigned int i = 0; i < VERIFY_COUNTS; i++) {
		const struct verify_count *c = &notes->counts[0][i];

		if (!(notes->failed & 1u << i))
			continue;
		if (!agreed(notes, i, verify_range(&found, c)))
			return false;
		if (c->range == offsetof(struct claim, switches) && now_and_then(claim, &found)) {
			fewer = claim->idle && found.switches.min < claim->switches.min;
			found.switches.min = (1 - FEW) * claim->switches.min;
			found.switches.max = (1 + FEW) * claim->switches.max;
			found.own_switches = -1;
			continue;
		}
		others &= c->remote || c->range == offsetof(struct claim, cr3_flushes) ||
			  c->range == offsetof(struct claim, tlb_ipis);
	}
	finding_begin(f, t, claim, &found);
	/*
	 * What other CPUs do, whether a load flushes, and a switch more or less now and then leave the operation what it is; another number
	 * of switches or loads on the measured CPU makes it another one.
	 */
	f->times = others;
	if (others && t->scenario->found)
		t->scenario->found(t, &notes->seen, f->text, sizeof(f->text));
	if (!f->text[0]) {
		char counts[360];

		counts_text(notes, *claim, counts, sizeof(counts));
		snprintf(f->text, sizeof(f->text),
			 "%s, %d times out of %d with nobody else there: %s", counts,
			 FINDING_ATTEMPTS, FINDING_ATTEMPTS, why(claim, others, fewer));
	}
	return true;
}

const struct finding *findings_of(const struct findings *all, const struct plan_item *item)
{
	for (unsigned int i = 0; i < all->n; i++)
		if (all->list[i].scenario == item->scenario &&
		    !memcmp(all->list[i].params, item->params, sizeof(item->params)))
			return &all->list[i];
	return NULL;
}

int findings_add(struct findings *all, const struct finding *f, json_t *list)
{
	struct finding *more = reallocarray(all->list, all->n + 1, sizeof(*more));
	char params[256], what[320];
	json_t *record;

	if (!more)
		return -ENOMEM;
	all->list = more;
	more[all->n++] = *f;
	scenario_params_text(f->scenario, f->params, false, params, sizeof(params));
	snprintf(what, sizeof(what), "%s%s%s", f->scenario->name, params[0] ? ":" : "", params);
	record = member_pack("{s:s, s:s, s:s, s:o, s:o, s:o}", "what", what, "text", f->text,
			     "scenario", f->scenario->name, "params",
			     record_params(f->scenario, f->params), "claimed",
			     record_claim(&f->claimed), "found", record_claim(&f->claim));
	return member_append(list, record);
}

/* A record of findings_add(), as a finding again: what it holds no word of is as the scenario claims it. */
static int finding_read(const struct bench *b, const json_t *record, struct finding *f,
			struct error *e)
{
	struct trial_order order = { 0 };
	struct plan p = { 0 };
	struct claim claim, found;
	struct trial t;
	int rc = plan_add(&p, member_text(record, "what"), e);

	if (!rc) {
		order.scenario = p.items->scenario;
		order.params = p.items->params;
		trial_describe(b, &order, &t);
		found = claim = order.scenario->claim(&t);
		record_claim_read(json_object_get(record, "found"), &found);
		/* With a switch more or less now and then nobody knows whose it is. */
		if (found.switches.min < claim.switches.min ||
		    found.switches.max > claim.switches.max)
			found.own_switches = -1;
		finding_begin(f, &t, &claim, &found);
		f->times = true;
		snprintf(f->text, sizeof(f->text), "%s", member_text(record, "text"));
	}
	plan_free(&p);
	return rc;
}

int findings_restore(struct findings *all, const struct bench *b, const json_t *old, json_t *list,
		     struct error *e)
{
	const json_t *one;
	size_t i;
	int rc = 0;

	json_array_foreach ((json_t *)old, i, one) {
		struct finding f;

		rc = finding_read(b, one, &f, e);
		if (!rc && findings_add(all, &f, list))
			rc = error_set(e, ENOMEM, "out of memory");
		if (rc)
			break;
	}
	return rc;
}

void findings_free(struct findings *all)
{
	free(all->list);
	*all = (struct findings){ 0 };
}
