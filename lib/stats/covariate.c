// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_linalg.h>
#include <gsl/gsl_multifit.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/stats/covariate.h"
#include "lib/stats/stats.h"

#define VALUES_LEAST 10 /* beside groups and slopes */
#define FLAT	     1e-9 /* a covariate that varies by less has no slope */

/* What a fit is made of: centred values, row by row. */
struct centred {
	double *value, *x; /* x: COVARIATES_MOST a row */
	size_t n, groups;
};

static bool known(const double *value, const double *const x[], size_t kinds, size_t i)
{
	for (size_t k = 0; k < kinds; k++)
		if (!isfinite(x[k][i]))
			return false;
	return isfinite(value[i]);
}

static double centre(const double *v, size_t stride, size_t n, double *room)
{
	for (size_t i = 0; i < n; i++)
		room[i] = v[i * stride];
	return stats_percentile(room, n, 50);
}

/* Every group about its own medians. */
static void centre_groups(struct centred *c, const double *value, const double *const x[],
			  size_t kinds, const size_t *ends, size_t groups, double *room)
{
	size_t i = 0;

	for (size_t g = 0; g < groups; g++) {
		size_t from = c->n, m;
		double middle;

		for (; i < ends[g]; i++) {
			if (!known(value, x, kinds, i))
				continue;
			for (size_t k = 0; k < kinds; k++)
				c->x[c->n * COVARIATES_MOST + k] = x[k][i];
			c->value[c->n++] = value[i];
		}
		m = c->n - from;
		if (!m)
			continue;
		c->groups++;
		middle = centre(c->value + from, 1, m, room);
		for (size_t j = from; j < c->n; j++)
			c->value[j] -= middle;
		for (size_t k = 0; k < kinds; k++) {
			middle = centre(c->x + from * COVARIATES_MOST + k, COVARIATES_MOST, m,
					room);
			for (size_t j = from; j < c->n; j++)
				c->x[j * COVARIATES_MOST + k] -= middle;
		}
	}
}

/* Those that vary, by number; how many. */
static size_t varying(const struct centred *c, size_t kinds, size_t *which)
{
	size_t n = 0;

	for (size_t k = 0; k < kinds; k++) {
		double sum = 0;

		for (size_t i = 0; i < c->n; i++)
			sum += fabs(c->x[i * COVARIATES_MOST + k]);
		if (sum > FLAT * (double)c->n)
			which[n++] = k;
	}
	return n;
}

/* Wald's statistic of all slopes together, against F. */
static double test(const gsl_vector *slopes, const gsl_matrix *covariance, double freedom)
{
	gsl_matrix *m = gsl_matrix_alloc(slopes->size, slopes->size);
	gsl_vector *v = gsl_vector_alloc(slopes->size);
	double p = NAN, w = 0;

	if (m && v) {
		gsl_matrix_memcpy(m, covariance);
		if (!gsl_linalg_cholesky_decomp1(m) && !gsl_linalg_cholesky_solve(m, slopes, v)) {
			for (size_t k = 0; k < slopes->size; k++)
				w += gsl_vector_get(slopes, k) * gsl_vector_get(v, k);
			p = gsl_cdf_fdist_Q(w / (double)slopes->size, (double)slopes->size,
					    freedom);
		}
	}
	gsl_matrix_free(m);
	gsl_vector_free(v);
	return p;
}

static int fit(const struct centred *c, const size_t *which, size_t n, double freedom,
	       struct stats_slopes *s)
{
	gsl_multifit_robust_workspace *w = gsl_multifit_robust_alloc(gsl_multifit_robust_bisquare,
								     c->n, n);
	gsl_matrix *x = gsl_matrix_alloc(c->n, n), *covariance = gsl_matrix_alloc(n, n);
	gsl_vector *y = gsl_vector_alloc(c->n), *slopes = gsl_vector_alloc(n);
	int rc = w && x && covariance && y && slopes ? 0 : -ENOMEM;

	for (size_t i = 0; i < c->n && !rc; i++) {
		gsl_vector_set(y, i, c->value[i]);
		for (size_t k = 0; k < n; k++)
			gsl_matrix_set(x, i, k, c->x[i * COVARIATES_MOST + which[k]]);
	}
	/* It may end at its number of steps, which is good enough to be tested. */
	if (!rc && gsl_multifit_robust(x, y, slopes, covariance, w) != GSL_ENOMEM) {
		const double scale = c->n > c->groups + n ? sqrt((double)(c->n - n) / freedom) : 1;

		/* The groups' medians were taken from the same values. */
		gsl_matrix_scale(covariance, scale * scale);
		s->p = test(slopes, covariance, freedom);
		for (size_t k = 0; k < n; k++) {
			s->slope[which[k]] = gsl_vector_get(slopes, k);
			for (size_t j = 0; j < n; j++)
				s->covariance[which[k]][which[j]] = gsl_matrix_get(covariance, k,
										   j);
		}
	}
	gsl_vector_free(slopes);
	gsl_vector_free(y);
	gsl_matrix_free(covariance);
	gsl_matrix_free(x);
	gsl_multifit_robust_free(w);
	return rc;
}

int stats_slopes(const double *value, const double *const x[], size_t kinds, const size_t *ends,
		 size_t groups, struct stats_slopes *s)
{
	size_t most = groups ? ends[groups - 1] : 0, which[COVARIATES_MOST], n;
	struct centred c = { .value = malloc((most + 1) * sizeof(double)),
			     .x = calloc(most + 1, COVARIATES_MOST * sizeof(double)) };
	double *room = malloc((most + 1) * sizeof(*room));
	int rc = c.value && c.x && room ? 0 : -ENOMEM;

	*s = (struct stats_slopes){ .kinds = kinds, .p = NAN };
	if (!rc) {
		gsl_error_handler_t *handler = gsl_set_error_handler_off();

		centre_groups(&c, value, x, kinds, ends, groups, room);
		n = varying(&c, kinds, which);
		s->freedom = (double)c.n - (double)c.groups - (double)n;
		if (n && s->freedom >= VALUES_LEAST)
			rc = fit(&c, which, n, s->freedom, s);
		gsl_set_error_handler(handler);
	}
	free(room);
	free(c.value);
	free(c.x);
	return rc;
}

double stats_slopes_part(const struct stats_slopes *s, const double apart[])
{
	double sum = 0;

	for (size_t k = 0; k < s->kinds; k++)
		sum += s->slope[k] * apart[k];
	return sum;
}

double stats_slopes_variance(const struct stats_slopes *s, const double apart[])
{
	double sum = 0;

	for (size_t k = 0; k < s->kinds; k++)
		for (size_t j = 0; j < s->kinds; j++)
			sum += apart[k] * s->covariance[k][j] * apart[j];
	return fmax(sum, 0);
}

/* How far the values lie from their groups' medians. @room: for as many. */
static double scatter(const double *v, const size_t *ends, size_t groups, double *room)
{
	size_t from = 0;

	for (size_t g = 0; g < groups; from = ends[g++]) {
		double middle = stats_percentile(v + from, ends[g] - from, 50);

		for (size_t i = from; i < ends[g]; i++)
			room[i] = fabs(v[i] - middle);
	}
	return stats_percentile(room, from, 50);
}

double stats_explained(const double *before, const double *after, const size_t *ends, size_t groups)
{
	double *room = malloc((groups ? ends[groups - 1] : 0) * sizeof(*room) + 1), x, y;

	if (!room)
		return 0;
	x = scatter(before, ends, groups, room);
	y = scatter(after, ends, groups, room);
	free(room);
	return y < x ? 1 - (y / x) * (y / x) : 0;
}
