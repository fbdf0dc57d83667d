# SPDX-License-Identifier: GPL-2.0-or-later
# Net cost against the working set. Data: blocks of pages, then median low high (ns) of the trials, or of the faster and of the slower of
# two speeds. argument: the blocks' names|L1 entries|L2 entries|1 if there are two speeds somewhere.
kind = ARG1; file = ARG2; data = ARG3; finding = ARG4; subject = ARG5; warning = ARG6; argument = ARG8; load ARG7
names = listed(argument, 0, "|"); l1 = int(listed(argument, 1, "|")); l2 = int(listed(argument, 2, "|")); two = int(listed(argument, 3, "|"))
# Before any range is set: stats heeds them.
stats data using 3 nooutput
blocks = STATS_blocks
least = STATS_min
stats data using 4 nooutput
most = STATS_max
if (two) { stats data using 7 nooutput; most = STATS_max > most ? STATS_max : most }
set yrange [least / 1.2:most * 1.2]
eval "set ytics (".ticks(least, most).")"
set xlabel "4 KiB pages touched after each switch"
set logscale xy
# Zero has no place on a logarithmic axis: it stands at one half.
x(p) = p == 0 ? 0.5 : p
set xrange [0.4:6000]
set xtics ("0" 0.5, "1" 1, "8" 8, "64" 64, "512" 512, "4096" 4096)
set ylabel "time of a round trip, net"
set key outside right noenhanced
do for [i=1:2] {
	knee = i == 1 ? l1 : l2
	if (knee > 0) {
		set arrow i from knee, graph 0 to knee, graph 0.94 nohead dt 2 lc rgb grey
		set label i sprintf("L%d dTLB, %d", i, knee) at knee, graph 0.93 rotate by 90 offset -0.7,0 right font ",10" textcolor rgb "#444444"
	}
}
if (l1 <= 0 && l2 <= 0) { set label 3 "sizes of the dTLB: unknown" at graph 0.99, graph 0.97 right font ",10" textcolor rgb "#444444" }
slow = two ? ", for [i=0:blocks-1] data index i using (x($1)):5:6:7 with yerrorbars pt 6 ps 0.8 lw 1.5 lc i + 1 notitle, NaN with points pt 6 ps 0.8 lc rgb grey title 'slower speed'" : ""
eval "plot for [i=0:blocks-1] data index i using (x($1)):2:3:4 with yerrorlines pt 5 + i ps 0.6 lw 2 lc i + 1 title listed(names, i, ',')".slow
