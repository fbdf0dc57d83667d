# SPDX-License-Identifier: GPL-2.0-or-later
# Cost of a round trip, by what it switches to. Data: label colour-index, then median low high (ns) of the trials, or of the faster and
# of the slower of two speeds. argument: 1 if there are two somewhere.
kind = ARG1; file = ARG2; data = ARG3; finding = ARG4; subject = ARG5; warning = ARG6; argument = ARG8; load ARG7
stats data using 5 nooutput
most = STATS_max
if (int(argument)) { stats data using 8 nooutput; most = STATS_max > most ? STATS_max : most }
unit = unit_of(most)
unset key
set yrange [0:*]
set ylabel name_of(unit)." per round trip"
set style fill solid 0.8 noborder
set boxwidth 0.6
set xtics noenhanced
set bmargin 4
colour(i) = i == 0 ? 0x009e73 : i == 1 ? 0x0072b2 : i == 2 ? 0xd55e00 : i == 3 ? 0xcc79a7 : 0xe69f00
set offsets 0.5, 0.5, 0.12 * most / unit, 0
set errorbars front lc rgb "black" lw 2
slow = int(argument) ? "data using 0:($6/unit):($7/unit):($8/unit):(0.6):(pale(colour($2))) with boxerrorbars lc rgb variable, data using 0:($8/unit):(sprintf(\"%s\\nor %s\", short($3), short($6))) with labels offset 0,1.9, " : ""
eval "plot ".slow."data using 0:($3/unit):($4/unit):($5/unit):(0.6):(colour($2)):xtic(1) with boxerrorbars lc rgb variable, data using 0:(".(int(argument) ? "$6 == $6 ? NaN : " : "")."$5/unit):(short($3)) with labels offset 0,0.9"
