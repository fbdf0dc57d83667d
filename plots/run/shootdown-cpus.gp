# SPDX-License-Identifier: GPL-2.0-or-later
# A flush by how many other CPUs have the mm. Data: a block per state and operation, of other CPUs, median low high (ns), then interrupts
# that reached them per operation, median low high. argument: the blocks' names|1 if times mean something.
kind = ARG1; file = ARG2; data = ARG3; finding = ARG4; subject = ARG5; warning = ARG6; argument = ARG8; load ARG7
names = listed(argument, 0, "|"); times = int(listed(argument, 1, "|"))
# Before any range is set: stats heeds them.
stats data using 1 nooutput
top = STATS_max; blocks = STATS_blocks
stats data using 5 nooutput
counts = STATS_records > 0
if (times) { stats data using 2 nooutput; unit = unit_of(STATS_max) }
state(name) = name[1:strstrt(name, " ")-1]
colour(name) = state(name) eq "active" ? 0xd55e00 : state(name) eq "lazy" ? 0x009e73 : 0xcc79a7
point(name) = strstrt(name, "mprotect") ? 5 : strstrt(name, "madvise") ? 7 : 9
unset title
unset label 1000
set multiplot layout 1, (times + counts) title sprintf("{/:Bold %s}\n{/*0.8 %s%s}", finding, subject, strlen(warning) ? "\n" . warning : "") offset 0, -0.2
set tmargin 2
set xlabel "other CPUs that have the mm"
set yrange [0:*]
if (top > 16) { set logscale x 2; set xrange [0.8:top * 1.3] } else { set xrange [0.5:top + 0.5]; set xtics 1 }
set key noenhanced
if (times) {
	set ylabel name_of(unit)." per operation"
	plot for [i=0:blocks-1] data index i using 1:($2/unit):($3/unit):($4/unit) with yerrorlines pt point(listed(names, i, ",")) ps 0.7 lw 2 \
		lc rgb colour(listed(names, i, ",")) title listed(names, i, ",")
	unset key
}
if (counts) {
	set ylabel "interrupts that reached them, per operation"
	plot for [i=0:blocks-1] data index i using 1:5:6:7 with yerrorlines pt point(listed(names, i, ",")) ps 0.7 lw 2 \
		lc rgb colour(listed(names, i, ",")) title listed(names, i, ",")
}
unset multiplot
