// SPDX-License-Identifier: GPL-2.0-or-later
/* Net costs and what they are made of: paired differences between scenarios that share their work. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/summary/group.h"
#include "bench/summary/labels.h"
#include "lib/base/member.h"

#define RING_KEPT \
	6 /* processes whose mms all stay in the TLB (TLB_NR_DYN_ASIDS, arch/x86/mm/tlb.c) */

static const char *text_param(const struct group *x, const char *key, const char *otherwise)
{
	const char *s = json_string_value(json_object_get(x->params, key));

	return s ? s : otherwise;
}

static json_int_t int_param(const struct group *x, const char *key)
{
	return json_integer_value(json_object_get(x->params, key));
}

static bool is(const struct group *x, const char *scenario)
{
	return !strcmp(x->scenario, scenario);
}

/* @x's parameters with another working set; without one the size of its pages is of no account. */
static json_t *params_at(const struct group *x, json_int_t pages)
{
	json_t *p = json_copy((json_t *)x->params);

	if (pages >= 0)
		member_set(p, "pages", json_integer(pages));
	if (!pages)
		json_object_del(p, "pagesize");
	return p;
}

static json_t *changed(json_t *params, const char *key, json_t *value)
{
	member_set(params, key, value);
	return params;
}

const struct group *net_at(const struct groups *g, const struct group *x, json_int_t pages)
{
	return group_like(g, x->scenario, params_at(x, pages));
}

/* Whose system calls @x's round trip holds, and those of how many tasks. NULL: no base makes the same ones. */
static const char *same_calls(const struct group *x, json_int_t *sides)
{
	*sides = 1;
	if (is(x, "kworker"))
		return "aio";
	if (is(x, "idle") && !strcmp(text_param(x, "wake", ""), "remote"))
		return "eventfd";
	*sides = is(x, "ring") ? int_param(x, "n") : 2;
	return is(x, "ring") || is(x, "thread") || is(x, "process")
		       ? text_param(x, "handover", "yield")
		       : NULL;
}

const struct group *net_base(const struct groups *g, const struct group *x, json_int_t pages,
			     bool *same)
{
	json_int_t sides;
	const char *kind = same_calls(x, &sides);
	json_t *p, *of;

	*same = kind != NULL;
	if (is(x, "base"))
		return NULL;
	p = json_object();
	of = params_at(x, pages);
	member_set(p, "kind", member_string(kind ? kind : "touch"));
	if (kind)
		member_set(p, "sides", json_integer(sides));
	member_share(p, "pages", json_object_get(of, "pages"));
	if (json_object_get(of, "pagesize"))
		member_share(p, "pagesize", json_object_get(of, "pagesize"));
	json_decref(of);
	return group_like(g, "base", p);
}

const struct group *net_same_mm(const struct groups *g, const struct group *x, json_int_t pages,
				double *scale)
{
	json_t *p = params_at(x, pages);

	*scale = 1;
	params_unask(p); /* only a change of mm makes it */
	if (is(x, "process"))
		return group_like(g, "thread", p);
	if (is(x, "kthread") && strcmp(text_param(x, "mode", "lazy"), "lazy"))
		return group_like(g, "kthread", changed(p, "mode", member_string("lazy")));
	if (is(x, "stale") && !strcmp(text_param(x, "mm", ""), "own"))
		return group_like(g, "stale", changed(p, "mm", member_string("other")));
	if (is(x, "ring")) {
		*scale = (double)int_param(x, "n") / 2;
		json_object_del(p, "n");
		return group_like(g, "thread", p);
	}
	json_decref(p);
	return NULL;
}

const struct group *net_unflushed(const struct groups *g, const struct group *x, json_int_t pages)
{
	double ignored;

	if (!is(x, "ring"))
		return net_same_mm(g, x, pages, &ignored);
	if (int_param(x, "n") <= RING_KEPT)
		return NULL;
	return group_like(g, "ring", changed(params_at(x, pages), "n", json_integer(RING_KEPT)));
}

static bool measured(const struct group *x)
{
	return x && isfinite(group_median(x, value_ns, "ns_per_round_trip"));
}

static json_t *base_json(const struct group *base, bool same)
{
	return member_pack("{s:O?, s:O?, s:b}", "kind", json_object_get(base->params, "kind"),
			   "sides", json_object_get(base->params, "sides"), "same_calls", same);
}

json_t *summary_net(const struct groups *g)
{
	json_t *list = json_array();

	for (size_t i = 0; i < g->n; i++) {
		const struct group *x = &g->list[i], *base;
		json_t *one;
		json_int_t sides;
		const char *kind = same_calls(x, &sides);
		bool same;

		/* What takes no working set does not switch in turns: it has no base. */
		if (is(x, "base") || !json_object_get(x->params, "pages"))
			continue;
		base = net_base(g, x, -1, &same);
		one = member_pack("{s:s, s:O}", "scenario", x->scenario, "params", x->params);
		member_append(list, one);
		if (!measured(x) || !measured(base)) {
			member_set(one, "unavailable",
				   !measured(x) ? member_string("it has no valid trial")
						: member_printf("the set has no valid trial of "
								"base:kind=%s,sides=%d "
								"with this working set",
								kind ? kind : "touch",
								kind ? (int)sides : 2));
			continue;
		}
		member_set(one, "base", base_json(base, same));
		member_set(one, "ns",
			   terms_figure((const struct term[]){ { x, 1 }, { base, -1 } }, 2));
	}
	return list;
}

static void part(json_t *o, const char *name, const struct term *terms, size_t n)
{
	struct interval i = terms_interval(terms, n);

	member_set(o, name, summary_interval(&i));
}

/* The parts that show with a working set only: what the switch's own code displaces, and what a change of mm costs the TLB. */
static void parts_with_pages(json_t *o, const struct groups *g, const struct group *x,
			     const struct group *base, json_int_t most)
{
	const struct group *far = NULL, *base_far = NULL, *kept = net_unflushed(g, x, 0);
	const struct group *kept_far = NULL;
	bool ignored;

	for (size_t i = 0; i < g->n; i++) {
		json_int_t pages = int_param(&g->list[i], "pages");
		const struct group *there, *base_there, *kept_there;

		if (pages <= 0 || pages > most || !is(&g->list[i], x->scenario) ||
		    strcmp(text_param(&g->list[i], "pagesize", "4k"), "4k") ||
		    (far && pages <= int_param(far, "pages")))
			continue;
		there = net_at(g, x, pages);
		base_there = net_base(g, x, pages, &ignored);
		kept_there = net_unflushed(g, x, pages);
		if (there != &g->list[i] || !measured(there) || !measured(base_there) ||
		    (measured(kept) && !measured(kept_there)))
			continue;
		far = there;
		base_far = base_there;
		kept_far = kept_there;
	}
	member_set(o, "pages", far ? json_integer(int_param(far, "pages")) : json_null());
	if (!far)
		return;
	if (!measured(kept)) {
		part(o, "displaced",
		     (const struct term[]){ { far, 1 }, { x, -1 }, { base_far, -1 }, { base, 1 } },
		     4);
		return;
	}
	part(o, "displaced",
	     (const struct term[]){ { kept_far, 1 }, { kept, -1 }, { base_far, -1 }, { base, 1 } },
	     4);
	part(o, "tlb_refill",
	     (const struct term[]){ { far, 1 }, { x, -1 }, { kept_far, -1 }, { kept, 1 } }, 4);
}

json_t *summary_decomposition(const struct groups *g, const json_t *machine)
{
	json_t *list = json_array(), *o;
	const char *why;
	json_int_t most = dtlb_range(machine, false, &why);

	for (size_t i = 0; i < g->n; i++) {
		const struct group *x = &g->list[i], *base, *same;
		double scale;
		bool calls;

		if (is(x, "base") || !json_object_get(x->params, "pages") ||
		    int_param(x, "pages") || !measured(x))
			continue;
		base = net_base(g, x, 0, &calls);
		/* Of rings only those are taken apart whose curve shows the flush. */
		if (is(x, "ring") && (!measured(base) || int_param(x, "n") <= RING_KEPT))
			continue;
		o = member_pack("{s:s, s:O}", "scenario", x->scenario, "params", x->params);
		member_append(list, o);
		if (!measured(base)) {
			member_set(o, "unavailable",
				   member_string("the set has no valid trial of its base"));
			continue;
		}
		member_set(o, "base", base_json(base, calls));
		if (calls)
			part(o, "system_calls", (const struct term[]){ { base, 1 } }, 1);
		same = net_same_mm(g, x, 0, &scale);
		if (measured(same)) {
			part(o, "scheduler", (const struct term[]){ { same, scale }, { base, -1 } },
			     2);
			part(o, "mm_switch", (const struct term[]){ { x, 1 }, { same, -scale } },
			     2);
		} else {
			part(o, "scheduler", (const struct term[]){ { x, 1 }, { base, -1 } }, 2);
		}
		parts_with_pages(o, g, x, base, most);
	}
	return list;
}
