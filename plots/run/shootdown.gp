# SPDX-License-Identifier: GPL-2.0-or-later
# What flushing one page costs. Data: a block per state that was measured, of operation (0 mprotect, 1 madvise, 2 munmap), state (0 active,
# 1 lazy, 2 absent, 3 left), then median low high (ns) of the trials, or of the faster and of the slower of two speeds. argument: the blocks'
# names|1 if there are two speeds somewhere.
kind = ARG1; file = ARG2; data = ARG3; finding = ARG4; subject = ARG5; warning = ARG6; argument = ARG8; load ARG7
names = listed(argument, 0, "|"); two = int(listed(argument, 1, "|"))
stats data using 5 nooutput
blocks = STATS_blocks
most = STATS_max
if (two) { stats data using 8 nooutput; most = STATS_max > most ? STATS_max : most }
unit = unit_of(most)
set ylabel name_of(unit)." per operation"
set yrange [0:*]
set xrange [-0.6:2.6]
set xtics ("mprotect" 0, "madvise" 1, "munmap" 2) scale 0
set style fill solid 0.8 noborder
set boxwidth 0.2
set errorbars 0.6 lc rgb "#333333" lw 1.5
set key outside right top
colour(name) = name eq "active" ? 0xd55e00 : name eq "lazy" ? 0x009e73 : name eq "left" ? 0xcc79a7 : 0x0072b2
slow = two ? "for [i=0:blocks-1] data index i using ($1+0.22*($2-1)):($6/unit):($7/unit):($8/unit):(0.2) with boxerrorbars lc rgb pale(colour(listed(names, i, ','))) notitle, " : ""
eval "plot ".slow."for [i=0:blocks-1] data index i using ($1+0.22*($2-1)):($3/unit):($4/unit):($5/unit):(0.2) with boxerrorbars lc rgb colour(listed(names, i, ',')) title listed(names, i, ',')".(two ? ", NaN with boxes lc rgb '#bbbbbb' title 'slower speed'" : "")
