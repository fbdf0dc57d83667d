# SPDX-License-Identifier: GPL-2.0-or-later
# What an exit takes. Data: label median low high (µs).
kind = ARG1; file = ARG2; data = ARG3; finding = ARG4; subject = ARG5; warning = ARG6; argument = ARG8; load ARG7
set ylabel "microseconds from the exit until the parent has reaped it"
set yrange [0:*]
set style fill solid 0.8 noborder
set boxwidth 0.5
set xrange [-0.6:1.6]
set errorbars 0.6 lc rgb "#333333"
unset key
plot data using 0:2:xtic(1) with boxes lc rgb lazy, data using 0:2:3:4 with yerrorbars pt 0 lw 1.5 lc rgb "black"
