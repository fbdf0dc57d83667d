// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>

#include "bench/commands.h"
#include "bench/gnuplot.h"
#include "bench/report.h"

void pictures_draw(struct picture *p, int n, const struct picture_place *place)
{
	const char *why = NULL;
	char data[4096];
	int rc = 0;

	for (int i = 0; i < n; i++) {
		struct drawing d = { p[i].name,	     place->dir,     data,	   p[i].title,
				     place->subject, place->warning, p[i].argument };

		if (!p[i].has_data)
			continue;
		/* Without gnuplot there is none for the next one either: said once. */
		if (rc != -ENOENT) {
			snprintf(data, sizeof(data), "%s/%s%s", place->data, p[i].name,
				 place->ending);
			rc = gnuplot_draw(&d, &why);
			if (rc)
				complain(0, "%s: %s is not drawn: %s", place->command, p[i].name,
					 why);
		}
		p[i].drawn = !rc;
		if (rc)
			p[i].why = why;
	}
}
