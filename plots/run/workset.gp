# SPDX-License-Identifier: GPL-2.0-or-later
# Cost against the working set. Data: blocks of pages, then median low high (ns) of the trials, or of the faster and of the slower of two
# speeds. argument: the blocks' names|1 if there are two speeds somewhere.
kind = ARG1; file = ARG2; data = ARG3; finding = ARG4; subject = ARG5; warning = ARG6; argument = ARG8; load ARG7
names = listed(argument, 0, "|"); two = int(listed(argument, 1, "|"))
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
set ylabel "time of a round trip"
set key outside right top noenhanced
colour(name) = strstrt(name, "lazy") ? lazy : strstrt(name, "same mm") ? same : strstrt(name, "isolated") ? forced : real
slow = two ? ", for [i=0:blocks-1] data index i using (x($1)):5:6:7 with yerrorbars pt 6 ps 0.8 lw 1.5 lc rgb colour(listed(names, i, ',')) notitle, NaN with points pt 6 ps 0.8 lc rgb grey title 'slower speed'" : ""
eval "plot for [i=0:blocks-1] data index i using (x($1)):2:3:4 with yerrorlines pt 7 ps 0.6 lw 2 lc rgb colour(listed(names, i, ',')) title listed(names, i, ',')".slow
