# SPDX-License-Identifier: GPL-2.0-or-later
# Pace per CPU against tasks. Data: blocks of "n median low high" (thousands a second). argument: the blocks' names.
kind = ARG1; file = ARG2; data = ARG3; finding = ARG4; subject = ARG5; warning = ARG6; argument = ARG8; load ARG7
stats data using 1 nooutput
top = STATS_max
set xlabel "tasks, one per CPU while there are CPUs"
set ylabel "thousand round trips per second and CPU"
set yrange [0:*]
set xrange [0.5:top + 0.5]
if (top > 16) { set logscale x 2; set xrange [0.8:top * 1.3] } else { set xtics 1 }
set key outside right noenhanced
blocks = STATS_blocks
plot for [i=0:blocks-1] data index i using 1:2:3:4 with yerrorlines pt 5 + i ps 0.7 lw 2 lc i + 1 title listed(argument, i, ",")
