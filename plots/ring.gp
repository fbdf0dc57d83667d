# SPDX-License-Identifier: GPL-2.0-or-later
# The ASID slots' capacity. Data: n flushes-per-round-trip ns-per-switch low high. argument: the first n that flushes, 0 if none.
kind = ARG1; file = ARG2; data = ARG3; finding = ARG4; subject = ARG5; warning = ARG6; argument = ARG8; load ARG7
set xlabel "processes in the ring"
set ylabel "share of CR3 loads that flush" textcolor rgb real
set y2label "nanoseconds per switch" textcolor rgb same
set yrange [0:1.3]
set y2range [0:*]
set y2tics textcolor rgb same
set border 11 lc rgb grey
set xtics 1
set xrange [1.5:16.5]
set style fill solid 0.5 noborder
set boxwidth 0.6
cliff = int(argument)
if (cliff > 0) {
	set arrow 1 from cliff - 0.5, 0 to cliff - 0.5, 1.05 nohead dt 2 lc rgb grey
	set label 1 sprintf("from %d on", cliff) at cliff - 0.6, 0.1 right textcolor rgb "#444444"
}
set key top left
plot data using 1:2 with boxes lc rgb real title "flushing share", \
     data using 1:3:4:5 axes x1y2 with yerrorlines pt 7 ps 0.6 lw 2 lc rgb same title "cost of a switch"
