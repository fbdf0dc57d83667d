// SPDX-License-Identifier: GPL-2.0-or-later
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/results/set.h"
#include "lib/results/scan-line.h"

#define DEPTH_MOST  16 /* ours are five deep */
#define KEYS_MOST   64 /* of one object */
#define DIGITS_MOST 18 /* of an integer that surely fits 64 bits */

static const char *const speed_names[SPEED_KINDS] = { SPEED_NAMES };

/* Every function takes where it is and returns where it ended, or NULL for "not surely sound". The line ends with a NUL. */
typedef const char *at_t;

static at_t blanks(at_t s)
{
	while (*s == ' ' || *s == '\t' || *s == '\r' || *s == '\n')
		s++;
	return s;
}

/* Bytes that end a string or need jansson's judgement: control characters, '"', '\\', beyond ASCII. */
static const unsigned char odd[256] = { [0 ... 31] = 1, ['"'] = 1, ['\\'] = 1, [128 ... 255] = 1 };

static at_t string(at_t s, struct line_text *text)
{
	at_t from = ++s;

	while (!odd[(unsigned char)*s])
		s++;
	*text = (struct line_text){ from, (size_t)(s - from) };
	return *s == '"' ? s + 1 : NULL;
}

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

static at_t number(at_t s, bool *integer)
{
	at_t from, start;

	s += *s == '-';
	from = start = s;
	while (digit(*s))
		s++;
	if (s == from || (*from == '0' && s - from > 1))
		return NULL;
	*integer = true;
	if (*s == '.') {
		*integer = false;
		from = ++s;
		while (digit(*s))
			s++;
		if (s == from)
			return NULL;
	}
	if (*s == 'e' || *s == 'E') {
		*integer = false;
		s++;
		s += *s == '-' || *s == '+';
		from = s;
		while (digit(*s))
			s++;
		/* Two digits neither overflow nor vanish behind as many as are allowed here. */
		if (s == from || s - from > 2)
			return NULL;
	}
	if (s - start > (*integer ? DIGITS_MOST : 40))
		return NULL;
	return s;
}

static at_t word(at_t s)
{
	return !strncmp(s, "true", 4)	 ? s + 4
	       : !strncmp(s, "false", 5) ? s + 5
	       : !strncmp(s, "null", 4)	 ? s + 4
					 : NULL;
}

/* Enough of a key to tell it from others; two of the same need not be the same. */
static uint64_t signature(const struct line_text *key)
{
	uint64_t head = 0, tail = 0;
	size_t n = key->len < 8 ? key->len : 8;

	memcpy(&head, key->at, n);
	memcpy(&tail, key->at + key->len - n, n);
	return head ^ (tail * 0x9e3779b97f4a7c15ull) ^ (key->len << 56);
}

/* An object's keys so far: JSON_REJECT_DUPLICATES is jansson's, this must not be laxer. */
struct keys {
	int n;
	uint64_t seen[KEYS_MOST];
};

static bool key_new(struct keys *k, const struct line_text *key)
{
	uint64_t s = signature(key);

	for (int i = 0; i < k->n; i++)
		if (k->seen[i] == s)
			return false;
	if (k->n == KEYS_MOST)
		return false;
	k->seen[k->n++] = s;
	return true;
}

/* From an object's '{' or ',' to its next value, key in @key; *@done at the closing brace. */
static at_t member(at_t s, struct keys *keys, struct line_text *key, bool *done)
{
	bool first = !keys->n;

	*done = false;
	if (!first && *s == '}') {
		*done = true;
		return s + 1;
	}
	if (!first && *s != ',')
		return NULL;
	s = blanks(s + 1);
	if (first && *s == '}') {
		*done = true;
		return s + 1;
	}
	if (*s != '"' || !(s = string(s, key)) || !key_new(keys, key))
		return NULL;
	s = blanks(s);
	return *s == ':' ? blanks(s + 1) : NULL;
}

static at_t skip(at_t s, int depth);

static at_t skip_object(at_t s, int depth)
{
	struct line_text key;
	struct keys keys;
	bool done;

	keys.n = 0;
	while ((s = member(s, &keys, &key, &done)) && !done) {
		s = skip(s, depth);
		if (!s)
			return NULL;
		s = blanks(s);
	}
	return s;
}

static at_t skip_array(at_t s, int depth)
{
	s = blanks(s + 1);
	if (*s == ']')
		return s + 1;
	while ((s = skip(s, depth))) {
		s = blanks(s);
		if (*s == ']')
			return s + 1;
		if (*s != ',')
			return NULL;
		s = blanks(s + 1);
	}
	return NULL;
}

static at_t skip(at_t s, int depth)
{
	struct line_text text;
	bool integer;

	switch (*s) {
	case '{':
		return depth < DEPTH_MOST ? skip_object(s, depth + 1) : NULL;
	case '[':
		return depth < DEPTH_MOST ? skip_array(s, depth + 1) : NULL;
	case '"':
		return string(s, &text);
	case '-':
	case '0' ... '9':
		return number(s, &integer);
	default:
		return word(s);
	}
}

static bool is(const struct line_text *key, const char *name)
{
	return key->len == strlen(name) && !memcmp(key->at, name, key->len);
}

/* A number's value, or NaN for anything else. */
static at_t value(at_t s, double *v)
{
	char first = *s;
	at_t end = skip(s, 1);

	*v = end && (first == '-' || digit(first)) ? strtod(s, NULL) : NAN;
	return end;
}

static at_t boolean(at_t s, bool *b)
{
	*b = *s == 't';
	return *s == 't' || *s == 'f' ? word(s) : NULL;
}

/* A counter's @what, or a figure's; and its share of the time. */
static at_t counter(at_t s, const char *what, double *v, double *share)
{
	struct line_text key;
	struct keys keys;
	bool done;

	*v = NAN;
	*share = 1;
	if (*s != '{')
		return NULL;
	keys.n = 0;
	while ((s = member(s, &keys, &key, &done)) && !done) {
		s = is(&key, what)	      ? value(s, v)
		    : is(&key, "multiplexed") ? value(s, share)
					      : skip(s, 3);
		if (!s)
			return NULL;
		s = blanks(s);
	}
	return s;
}

/* Is the figure a count that comparisons take, besides the counters? */
static bool is_count(const struct line_text *name)
{
	return is(name, "tlb-interrupts-all") || is(name, "tlb-interrupts-lazy");
}

/* All counters of an object, or those figures that are counts. */
static at_t counters(at_t s, const char *prefix, bool figures, struct line_view *v)
{
	struct line_text key;
	struct keys keys;
	bool done;

	if (*s != '{')
		return NULL;
	keys.n = 0;
	while ((s = member(s, &keys, &key, &done)) && !done) {
		if (figures && !is_count(&key)) {
			s = skip(s, 2);
		} else {
			if (v->counters == TRIAL_COUNTERS)
				return NULL;
			v->counter[v->counters].prefix = prefix;
			v->counter[v->counters].name = key;
			s = counter(s, figures ? "value" : "per_round_trip",
				    &v->counter[v->counters].value, &v->counter[v->counters].share);
			v->counters++;
		}
		if (!s)
			return NULL;
		s = blanks(s);
	}
	return s;
}

static at_t remote_counters(at_t s, struct line_view *v)
{
	return *s == '{' ? counters(s, "remote-", false, v) : skip(s, 2);
}

static at_t series(at_t s, struct line_view *v)
{
	at_t end = skip(s, 2);

	if (end && *s == '[')
		v->batches = (struct line_text){ s, (size_t)(end - s) };
	return end;
}

static at_t speeds(at_t s, struct line_view *v)
{
	struct line_text key;
	struct keys keys;
	bool done;

	if (*s != '{')
		return skip(s, 1);
	keys.n = 0;
	while ((s = member(s, &keys, &key, &done)) && !done) {
		double ignored, *to = &ignored;

		if (is(&key, SPEED_OF))
			to = &v->speed[SPEED_KINDS];
		for (int k = 0; k < SPEED_KINDS; k++)
			if (is(&key, speed_names[k]))
				to = &v->speed[k];
		s = value(s, to);
		if (!s)
			return NULL;
		s = blanks(s);
	}
	return s;
}

static at_t counted(at_t s, struct line_view *v)
{
	return value(s, &v->counted);
}

/* Of an object the member called @name goes to @take; anything else is passed over. */
static at_t inside(at_t s, struct line_view *v, const char *name,
		   at_t (*take)(at_t s, struct line_view *v))
{
	struct line_text key;
	struct keys keys;
	bool done;

	if (*s != '{')
		return skip(s, 1);
	keys.n = 0;
	while ((s = member(s, &keys, &key, &done)) && !done) {
		s = is(&key, name) ? take(s, v) : skip(s, 2);
		if (!s)
			return NULL;
		s = blanks(s);
	}
	return s;
}

enum {
	SCHEMA = 1,
	SCENARIO = 2,
	PARAMS = 4,
	TRIAL = 8,
	COUNTERS = 16,
	VALID = 32,
	VIOLATIONS = 64,
	NS = 128,
	ALL = 255
};

/* One member of the line; what result.c's trial_sound() asks of its type. */
static at_t part(at_t s, const struct line_text *key, struct line_view *v, int *found)
{
	bool integer;
	at_t end;
	double n = NAN;

	if (is(key, "counters")) {
		*found |= COUNTERS;
		return counters(s, "", false, v);
	} else if (is(key, "remote")) {
		return inside(s, v, "counters", remote_counters);
	} else if (is(key, "figures")) {
		return *s == '{' ? counters(s, "", true, v) : skip(s, 1);
	} else if (is(key, "batches")) {
		return inside(s, v, "series_ns", series);
	} else if (is(key, "speed_ns")) {
		return speeds(s, v);
	} else if (is(key, "round_trips")) {
		return inside(s, v, "counted", counted);
	} else if (is(key, "scenario")) {
		*found |= SCENARIO;
		return *s == '"' ? string(s, &v->scenario) : NULL;
	} else if (is(key, "params")) {
		*found |= PARAMS;
		end = *s == '{' ? skip(s, 1) : NULL;
		v->params = (struct line_text){ s, end ? (size_t)(end - s) : 0 };
		return end;
	} else if (is(key, "ns_per_round_trip")) {
		*found |= NS;
		end = *s == 'n' || *s == '-' || digit(*s) ? value(s, &n) : NULL;
		v->ns = n > 0 ? n : NAN;
		return end;
	} else if (is(key, "valid")) {
		*found |= VALID;
		return boolean(s, &v->valid);
	} else if (is(key, "verified")) {
		v->verified = *s == 't';
		return skip(s, 1);
	} else if (is(key, "schema")) {
		*found |= SCHEMA;
		end = *s == '-' || digit(*s) ? number(s, &integer) : NULL;
		return end && integer && strtol(s, NULL, 10) == RESULT_SCHEMA ? end : NULL;
	} else if (is(key, "trial")) {
		*found |= TRIAL;
		end = *s == '-' || digit(*s) ? number(s, &integer) : NULL;
		return end && integer ? end : NULL;
	} else if (is(key, "violations")) {
		*found |= VIOLATIONS;
		return *s == '[' ? skip(s, 1) : NULL;
	} else if (is(key, "claim") || is(key, "latency")) {
		return *s == '{' ? skip(s, 1) : NULL;
	}
	return skip(s, 1);
}

bool scan_line(const char *line, size_t len, struct line_view *v)
{
	struct line_text key;
	struct keys keys;
	int found = 0;
	at_t s = blanks(line);
	bool done;

	v->counters = 0;
	v->batches.len = 0;
	v->counted = NAN;
	for (int k = 0; k <= SPEED_KINDS; k++)
		v->speed[k] = NAN;
	v->verified = false;
	if (*s != '{')
		return false;
	keys.n = 0;
	while ((s = member(s, &keys, &key, &done)) && !done) {
		s = part(s, &key, v, &found);
		if (!s)
			return false;
		s = blanks(s);
	}
	return s && blanks(s) == line + len && found == ALL;
}

static struct line_text text_of(const json_t *s)
{
	return (struct line_text){ json_string_value(s), json_string_length(s) };
}

/* As counters(). False: too many. */
static bool counters_json(json_t *counters, const char *prefix, bool figures, struct line_view *v)
{
	const char *name;
	json_t *one;

	json_object_foreach (counters, name, one) {
		const struct line_text text = { name, strlen(name) };
		const json_t *n = json_object_get(one, figures ? "value" : "per_round_trip");

		if (figures && !is_count(&text))
			continue;
		if (v->counters == TRIAL_COUNTERS)
			return false;
		v->counter[v->counters].prefix = prefix;
		v->counter[v->counters].name = text;
		v->counter[v->counters].value = json_is_number(n) ? json_number_value(n) : NAN;
		n = json_object_get(one, "multiplexed");
		v->counter[v->counters++].share = n ? json_number_value(n) : 1;
	}
	return true;
}

bool scan_line_json(const json_t *trial, struct line_view *v, char *owned[2])
{
	json_t *counted = json_object_get(json_object_get(trial, "round_trips"), "counted"),
	       *series = json_object_get(json_object_get(trial, "batches"), "series_ns");
	double ns = json_number_value(json_object_get(trial, "ns_per_round_trip"));

	*v = (struct line_view){
		.scenario = text_of(json_object_get(trial, "scenario")),
		.ns = ns > 0 && isfinite(ns) ? ns : NAN,
		.counted = json_is_number(counted) ? json_number_value(counted) : NAN,
		.valid = json_is_true(json_object_get(trial, "valid")),
		.verified = json_is_true(json_object_get(trial, "verified")),
	};
	for (int k = 0; k <= SPEED_KINDS; k++) {
		const json_t *speed = json_object_get(json_object_get(trial, "speed_ns"),
						      k == SPEED_KINDS ? SPEED_OF : speed_names[k]);

		v->speed[k] = json_is_number(speed) ? json_number_value(speed) : NAN;
	}
	owned[0] = json_dumps(json_object_get(trial, "params"), JSON_COMPACT);
	owned[1] = json_is_array(series) ? json_dumps(series, JSON_COMPACT) : NULL;
	if (!owned[0])
		return false;
	v->params = (struct line_text){ owned[0], strlen(owned[0]) };
	if (owned[1])
		v->batches = (struct line_text){ owned[1], strlen(owned[1]) };
	return counters_json(json_object_get(trial, "counters"), "", false, v) &&
	       counters_json(json_object_get(json_object_get(trial, "remote"), "counters"),
			     "remote-", false, v) &&
	       counters_json(json_object_get(trial, "figures"), "", true, v);
}

size_t scan_batches(const struct line_view *v, double *series, size_t most)
{
	const char *s = v->batches.at, *end;
	size_t n = 0;
	char *next;

	if (!v->batches.len)
		return 0;
	end = s + v->batches.len;
	for (s++; s < end && n < most; s++) {
		series[n] = strtod(s, &next);
		if (next == s)
			break;
		s = blanks(next);
		n++;
		if (*s != ',')
			break;
	}
	return n;
}
