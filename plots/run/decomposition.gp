# SPDX-License-Identifier: GPL-2.0-or-later
# Stacked: system calls, scheduler, mm switch, TLB refill. Data: label and the four. argument: pages of the refill.
kind = ARG1; file = ARG2; data = ARG3; finding = ARG4; subject = ARG5; warning = ARG6; argument = ARG8; load ARG7
stats data using ($2 + $3 + $4 + $5) nooutput
unit = unit_of(STATS_max)
set ylabel name_of(unit)." per round trip"
set yrange [0:*]
set style data histograms
set style histogram rowstacked
set style fill solid 0.8 noborder
set boxwidth 0.6
set xtics noenhanced
set key outside right invert
plot data using ($2/unit):xtic(1) lc rgb grey title "system calls", data using ($3/unit) lc rgb same title "scheduler", \
     data using ($4/unit) lc rgb real title "mm switch", data using ($5/unit) lc rgb forced title (int(argument) > 0 ? sprintf("TLB refill, %d pages", int(argument)) : "TLB refill")
