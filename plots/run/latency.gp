# SPDX-License-Identifier: GPL-2.0-or-later
# How often a round trip takes longer. Data: blocks of "ns share-that-takes-longer"; argument: their names.
kind = ARG1; file = ARG2; data = ARG3; finding = ARG4; subject = ARG5; warning = ARG6; argument = ARG8; load ARG7
# Before any range is set: stats heeds them.
stats data using 1 nooutput
blocks = STATS_blocks
eval "set xtics (".ticks(STATS_min, STATS_max).")"
# One value has no range.
set xrange [STATS_min / 1.1:STATS_max * 1.1]
set xlabel "time of a round trip"
set ylabel "share of round trips that take longer"
set logscale xy
set format y "10^{%L}"
set yrange [5e-5:1.5]
set grid xtics
set key outside right top noenhanced
colour(name) = strstrt(name, "kworker") ? lazy : strstrt(name, "thread") ? same : strstrt(name, "process") ? real : other
plot for [i=0:blocks-1] data index i using 1:2 with steps lw 2 lc rgb colour(listed(argument, i, ",")) title listed(argument, i, ",")
