# SPDX-License-Identifier: GPL-2.0-or-later
# How often a round trip takes longer. Data: blocks of "ns share-that-takes-longer"; argument: their names.
kind = ARG1; file = ARG2; data = ARG3; finding = ARG4; subject = ARG5; warning = ARG6; argument = ARG8; load ARG7
# Before any range is set: stats heeds them.
stats data using 1 nooutput
set xlabel "nanoseconds"
set ylabel "share of round trips that take longer"
set logscale xy
set format y "10^{%L}"
set yrange [5e-5:1.5]
set grid xtics
set key top right
next_name(s, n) = n == 0 ? (strstrt(s, ",") ? s[1:strstrt(s, ",")-1] : s) : next_name(s[strstrt(s, ",")+1:*], n - 1)
set key noenhanced
colour(name) = strstrt(name, "kworker") ? lazy : strstrt(name, "thread") ? same : strstrt(name, "process") ? real : other
plot for [i=0:STATS_blocks-1] data index i using 1:2 with steps lw 2 lc rgb colour(next_name(argument, i)) title next_name(argument, i)
