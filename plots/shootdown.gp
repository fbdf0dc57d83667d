# SPDX-License-Identifier: GPL-2.0-or-later
# What flushing one page costs. Data: operation, then median low high (µs) for active, lazy, absent.
kind = ARG1; file = ARG2; data = ARG3; finding = ARG4; subject = ARG5; warning = ARG6; argument = ARG8; load ARG7
set ylabel "microseconds per operation"
set yrange [0:*]
set style data histograms
set style histogram errorbars gap 1.5 lw 1.5
set style fill solid 0.8 noborder
set errorbars 0.6 lc rgb "#333333"
set key top left
plot data using 2:3:4:xtic(1) lc rgb real title "active", data using 5:6:7 lc rgb lazy title "lazy", data using 8:9:10 lc rgb same title "absent"
