# SPDX-License-Identifier: GPL-2.0-or-later
# dTLB misses and walk cycles against the working set. Data: blocks of "pages misses low high cycles low high". argument: their names.
kind = ARG1; file = ARG2; data = ARG3; finding = ARG4; subject = ARG5; warning = ARG6; argument = ARG8; load ARG7
# Before any range is set: stats heeds them. A PMU without walk cycles leaves NaN.
stats data using 2 nooutput
misses = STATS_records > 0
stats data using 5 nooutput
cycles = STATS_records > 0
blocks = STATS_blocks
colour(name) = strstrt(name, "lazy") ? lazy : strstrt(name, "same mm") ? same : strstrt(name, "isolated") ? forced : real
# Zero has no place on a logarithmic axis: it stands at one half.
x(p) = p == 0 ? 0.5 : p
unset title
unset label 1000
set multiplot layout 1, (misses + cycles) title sprintf("{/:Bold %s}\n{/*0.8 %s%s}", finding, subject, strlen(warning) ? "\n" . warning : "") offset 0, -0.2
set tmargin 2
set xlabel "4 KiB pages touched after each switch"
set logscale xy
set xrange [0.4:6000]
set xtics ("0" 0.5, "1" 1, "8" 8, "64" 64, "512" 512, "4096" 4096)
set yrange [0.5:*]
set key noenhanced
if (misses) {
	set ylabel "dTLB load misses per round trip"
	plot for [i=0:blocks-1] data index i using (x($1)):2:3:4 with yerrorlines pt 7 ps 0.6 lw 2 \
		lc rgb colour(listed(argument, i, ",")) title listed(argument, i, ",")
	unset key
}
if (cycles) {
	set ylabel "cycles of page walks per round trip"
	plot for [i=0:blocks-1] data index i using (x($1)):5:6:7 with yerrorlines pt 7 ps 0.6 lw 2 \
		lc rgb colour(listed(argument, i, ",")) title listed(argument, i, ",")
}
unset multiplot
