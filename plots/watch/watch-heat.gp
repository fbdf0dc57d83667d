# SPDX-License-Identifier: GPL-2.0-or-later
# CR3 loads saved per CPU over time, of a recorded watch.
kind = ARG1; file = ARG2; data = ARG3; finding = ARG4; subject = ARG5; warning = ARG6; argument = ARG8; load ARG7
set xlabel "seconds"
set ylabel "CPU"
set cblabel "loads saved per second"
set cbrange [0:*]
set palette defined (0 "#f7fbff", 0.3 "#9ecae1", 0.6 "#4292c6", 1 "#08306b")
stats data using 2 nooutput
set yrange [STATS_min-0.5:STATS_max+0.5]
set ytics 0, (STATS_max < 16 ? 1 : ceil(STATS_max / 16.0))
unset key
set style fill solid noborder
# One box per interval and CPU, from the interval's start to its end.
plot data using ($1-$6/2):2:($1-$6):1:($2-0.5):($2+0.5):4 with boxxyerror lc palette
