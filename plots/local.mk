# SPDX-License-Identifier: GPL-2.0-or-later
nobase_dist_pkgdata_DATA += plots/style.gp plots/cost.gp plots/loads.gp plots/workset.gp plots/ring.gp plots/latency.gp \
	plots/explain.gp plots/net.gp plots/dtlb.gp plots/decomposition.gp plots/shootdown.gp plots/refcount.gp plots/exit.gp \
	plots/multiples.gp plots/compare-trend.gp plots/compare-heat.gp plots/compare-curves.gp
