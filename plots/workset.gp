# SPDX-License-Identifier: GPL-2.0-or-later
# Cost against the working set. Data: blocks of "pages median low high", each headed by its name in quotes.
kind = ARG1; file = ARG2; data = ARG3; finding = ARG4; subject = ARG5; warning = ARG6; argument = ARG8; load ARG7
# Before any range is set: stats heeds them.
stats data using 2 nooutput
if (STATS_min == STATS_max) { set yrange [STATS_min / 2:STATS_max * 2] }
set xlabel "4 KiB pages touched after each switch"
set ylabel "nanoseconds per round trip"
set logscale xy
# Zero has no place on a logarithmic axis: it stands at one half.
x(p) = p == 0 ? 0.5 : p
set xrange [0.4:6000]
set xtics ("0" 0.5, "1" 1, "8" 8, "64" 64, "512" 512, "4096" 4096)
set key noenhanced
# argument holds the blocks' names, separated by commas.
next_name(s, n) = n == 0 ? (strstrt(s, ",") ? s[1:strstrt(s, ",")-1] : s) : next_name(s[strstrt(s, ",")+1:*], n - 1)
colour(name) = strstrt(name, "lazy") ? lazy : strstrt(name, "same mm") ? same : strstrt(name, "isolated") ? forced : real
plot for [i=0:STATS_blocks-1] data index i using (x($1)):2:3:4 with yerrorlines pt 7 ps 0.6 lw 2 \
	lc rgb colour(next_name(argument, i)) title next_name(argument, i)
