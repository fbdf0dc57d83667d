// SPDX-License-Identifier: GPL-2.0-or-later
/* What a round trip costs more between tasks that asked the kernel for something at it. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench/summary/group.h"
#include "bench/summary/labels.h"
#include "bench/summary/words.h"
#include "lib/base/member.h"

json_t *summary_asked(const struct groups *g)
{
	json_t *list = json_array();

	for (size_t i = 0; i < g->n; i++) {
		const struct group *x = &g->list[i], *plain;
		json_t *of, *ns;

		if (!params_ask(x->params, NULL))
			continue;
		of = json_copy((json_t *)x->params);
		params_unask(of);
		plain = group_like(g, x->scenario, of);
		ns = plain ? terms_figure((const struct term[]){ { x, 1 }, { plain, -1 } }, 2)
			   : NULL;
		if (ns && isfinite(member_number(ns, "median")))
			member_append(list, member_pack("{s:s, s:O, s:O}", "scenario", x->scenario,
							"params", x->params, "adds_ns", ns));
		else
			member_append(list,
				      member_pack("{s:s, s:O, s:s}", "scenario", x->scenario,
						  "params", x->params, "unavailable",
						  "no round has a valid trial of it and one of the "
						  "same without what it asks for"));
		json_decref(ns);
	}
	return list;
}

void asked_text(const json_t *row, char *buf, size_t len)
{
	const json_t *params = json_object_get(row, "params");
	json_int_t pages = json_integer_value(json_object_get(params, "pages")),
		   n = json_integer_value(json_object_get(params, "n"));
	char one[FIGURE_TEXT];

	snprintf(buf, len, "%.20s", member_text(row, "scenario"));
	if (n)
		snprintf(buf + strlen(buf), len - strlen(buf), " n=%lld", (long long)n);
	if (pages)
		snprintf(buf + strlen(buf), len - strlen(buf), " pages=%lld", (long long)pages);
	for (size_t i = 0; i < PARAM_ASKS; i++)
		if (*member_text(params, param_asks[i]))
			snprintf(buf + strlen(buf), len - strlen(buf), " %s=%.20s", param_asks[i],
				 member_text(params, param_asks[i]));
	figure_told_text(json_object_get(row, "adds_ns"), one, sizeof(one));
	snprintf(buf + strlen(buf), len - strlen(buf), " %s", one);
}

void mm_switch_text(const json_t *summary, char *buf, size_t len)
{
	static const struct {
		const char *key, *words;
	} parts[] = {
		{ "ibpb", "branch predictor barrier (IBPB)" },
		{ "l1d_flush", "L1D flush" },
		{ "rsb_filling", "RSB filling" },
		{ "pti", "page table isolation" },
	};
	const json_t *mm = json_object_get(summary, "mm_switch");

	buf[0] = '\0';
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		const char *says = member_text(mm, parts[i].key);
		size_t used = strlen(buf);

		if (!*says) /* the kernel does not show it */
			says = member_text(json_object_get(mm, parts[i].key), "unavailable");
		if (*says)
			snprintf(buf + used, len - used, "%s%s: %.160s",
				 used ? "; " : "Mitigations that a real switch runs here: ",
				 parts[i].words, says);
	}
	if (*buf)
		snprintf(buf + strlen(buf), len - strlen(buf), ".");
}
