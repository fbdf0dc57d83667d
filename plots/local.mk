# SPDX-License-Identifier: GPL-2.0-or-later
# By what they draw: a run, a comparison, a watch, a story, a history; and what every page takes in.
nobase_dist_pkgdata_DATA += %D%/style.gp %D%/page/page.css %D%/page/page.js %D%/explain/steps.js %D%/compare/compare-curves.gp %D%/compare/compare-forest.gp %D%/compare/compare-heat.gp %D%/compare/compare-instructions.gp %D%/compare/compare-trend.gp \
	%D%/compare/multiples.gp %D%/explain/explain.gp %D%/history/history.gp %D%/run/cost.gp %D%/run/decomposition.gp %D%/run/dtlb.gp \
	%D%/run/exit.gp %D%/run/latency.gp %D%/run/loads.gp %D%/run/net.gp %D%/run/refcount.gp %D%/run/ring.gp \
	%D%/run/shootdown-cpus.gp %D%/run/shootdown.gp %D%/run/workset.gp %D%/watch/watch-heat.gp %D%/watch/watch-rates.gp \
	%D%/watch/watch-top.gp
