# SPDX-License-Identifier: GPL-2.0-or-later
# CR3 loads per round trip, those that keep the TLB and those that flush. Data: label kept flushing.
kind = ARG1; file = ARG2; data = ARG3; finding = ARG4; subject = ARG5; warning = ARG6; argument = ARG8; load ARG7
stats data using ($2 + $3) nooutput
set yrange [0:(STATS_max > 0 ? 1.1 * STATS_max : 1)]
set ylabel "CR3 loads per round trip"
set style data histograms
set style histogram rowstacked
set style fill solid 0.8 noborder
set boxwidth 0.6
set xtics noenhanced
set key outside right top
set bmargin 4
plot data using 2:xtic(1) lc rgb same title "kept the TLB (PCID)", data using 3 lc rgb real title "flushed it"
