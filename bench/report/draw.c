// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bench/report/gnuplot.h"
#include "bench/report/report.h"
#include "lib/base/error.h"

void pictures_draw(struct picture *p, int n, const struct picture_place *place)
{
	char data[4096];
	int rc = 0, failed = 0;

	for (int i = 0; i < n; i++) {
		struct drawing d = { place->plots, p[i].name,	   place->dir,	   data,
				     p[i].title,   place->subject, place->warning, p[i].argument };

		if (!p[i].has_data) {
			gnuplot_remove(&d); /* an earlier report's */
			continue;
		}
		/* Without gnuplot there is none for the next one either: said once. */
		if (rc == -ENOENT) {
			memmove(p[i].failure, p[failed].failure, sizeof(p[i].failure));
		} else {
			snprintf(data, sizeof(data), "%s/%s%s", place->data, p[i].name,
				 place->ending);
			rc = gnuplot_draw(&d, p[i].failure, sizeof(p[i].failure));
			if (rc)
				complain(0, "%s: %s is not drawn: %s", place->command, p[i].name,
					 p[i].failure);
			else if (p[i].failure[0])
				complain(0, "%s: %s.png is not drawn: %s", place->command,
					 p[i].name, p[i].failure);
		}
		p[i].drawn = !rc;
		if (rc)
			p[failed = i].why = p[i].failure;
	}
}
