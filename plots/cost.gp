# SPDX-License-Identifier: GPL-2.0-or-later
# Cost of a round trip, by what it switches to. Data: label colour-index median low high (ns).
kind = ARG1; file = ARG2; data = ARG3; finding = ARG4; subject = ARG5; warning = ARG6; argument = ARG8; load ARG7
unset key
set yrange [0:*]
set ylabel "nanoseconds per round trip"
set style fill solid 0.8 noborder
set boxwidth 0.6
set xtics noenhanced
set bmargin 4
colour(i) = i == 0 ? 0x009e73 : i == 1 ? 0x0072b2 : i == 2 ? 0xd55e00 : i == 3 ? 0xcc79a7 : 0xe69f00
set offsets 0.5, 0.5, 0, 0
set errorbars front lc rgb "black" lw 2
plot data using 0:3:4:5:(0.6):(colour($2)):xtic(1) with boxerrorbars lc rgb variable, \
     data using 0:5:(sprintf("%.0f", $3)) with labels offset 0,0.9
