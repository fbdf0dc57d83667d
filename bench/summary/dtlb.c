// SPDX-License-Identifier: GPL-2.0-or-later
/* How many pages the dTLB holds, as the machine's record has it. */
#include "bench/summary/group.h"
#include "lib/base/member.h"

#define RANGE_UNKNOWN \
	512 /* pages: fewer than the second-level dTLB has of any x86 server since Haswell */

static json_int_t entries(const json_t *machine, const char *key)
{
	return json_integer_value(
		json_object_get(json_object_get(json_object_get(machine, "cpu"), "tlb"), key));
}

json_int_t dtlb_range(const json_t *machine, bool huge, const char **why)
{
	const json_t *tlb = json_object_get(json_object_get(machine, "cpu"), "tlb");
	json_int_t l2 = entries(machine, huge ? "l2_2m" : "l2_4k");

	if (l2 > 0 && !json_object_get(tlb, "note")) {
		*why = "the entries of the second-level dTLB";
		return l2;
	}
	*why = "the hypervisor hides the size of the second-level dTLB or may make it up: any x86 "
	       "server's "
	       "has more entries";
	return RANGE_UNKNOWN;
}

json_t *dtlb_json(const json_t *machine)
{
	static const char *const keys[] = { "l1_4k", "l2_4k", "l1_2m", "l2_2m" };
	const json_t *tlb = json_object_get(json_object_get(machine, "cpu"), "tlb");
	const char *why = json_string_value(json_object_get(tlb, "unavailable"));
	json_t *o = json_object();

	if (why || !json_object_size(tlb)) {
		member_set(o, "unavailable",
			   member_string(why ? why : "the set does not record the dTLB"));
		return o;
	}
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		member_set(o, keys[i],
			   entries(machine, keys[i]) ? json_integer(entries(machine, keys[i]))
						     : json_null());
	member_share(o, "source", json_object_get(tlb, "source"));
	if (json_object_get(tlb, "note"))
		member_share(o, "note", json_object_get(tlb, "note"));
	return o;
}
