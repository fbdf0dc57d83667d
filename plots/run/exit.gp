# SPDX-License-Identifier: GPL-2.0-or-later
# What an exit takes. Data: label, then median low high (ns) of the trials, or of the faster and of the slower of two speeds. argument: 1 if
# there are two somewhere.
kind = ARG1; file = ARG2; data = ARG3; finding = ARG4; subject = ARG5; warning = ARG6; argument = ARG8; load ARG7
stats data using 4 nooutput
most = STATS_max
if (int(argument)) { stats data using 7 nooutput; most = STATS_max > most ? STATS_max : most }
unit = unit_of(most)
set ylabel name_of(unit)." from the exit until the parent has reaped it"
set yrange [0:*]
set style fill solid 0.8 noborder
set boxwidth 0.5
set offsets 0.6, 0.6, 0, 0
set errorbars 0.6 lc rgb "#333333"
unset key
slow = int(argument) ? "data using 0:($5/unit) with boxes lc rgb pale(0x009e73), data using 0:($5/unit):($6/unit):($7/unit) with yerrorbars pt 0 lw 1.5 lc rgb 'black', " : ""
eval "plot ".slow."data using 0:($2/unit):xtic(1) with boxes lc rgb lazy, data using 0:($2/unit):($3/unit):($4/unit) with yerrorbars pt 0 lw 1.5 lc rgb 'black'"
