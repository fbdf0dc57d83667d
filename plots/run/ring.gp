# SPDX-License-Identifier: GPL-2.0-or-later
# The ASID slots' capacity. Data: n flushes-per-round-trip, then ns per switch: median low high of the trials, or of the faster and of the
# slower of two speeds. argument: the first n that flushes where fewer do not, else 0|the fewest|the most|1 if there are two speeds somewhere.
kind = ARG1; file = ARG2; data = ARG3; finding = ARG4; subject = ARG5; warning = ARG6; argument = ARG8; load ARG7
cliff = int(listed(argument, 0, "|")); first = int(listed(argument, 1, "|")); last = int(listed(argument, 2, "|")); two = int(listed(argument, 3, "|"))
stats data using 5 nooutput
most = STATS_max
if (two) { stats data using 8 nooutput; most = STATS_max > most ? STATS_max : most }
unit = unit_of(most)
set xlabel "processes in the ring"
set ylabel "share of CR3 loads that flush" textcolor rgb real
set y2label name_of(unit)." per switch" textcolor rgb same
set yrange [0:1]
set y2range [0:1.15 * most / unit]
set y2tics textcolor rgb same
set border 11 lc rgb grey
set xtics 1
set xrange [first - 0.5:last + 0.5]
set style fill solid 0.5 noborder
set boxwidth 0.6
if (cliff > 0) {
	set arrow 1 from cliff - 0.5, graph 0 to cliff - 0.5, graph 1 nohead dt 2 lc rgb grey
	# On the side that has more room, and never over the bars if it can be.
	if (cliff - first >= 2) {
		set label 1 sprintf("from %d on", cliff) at cliff - 0.6, graph 0.07 right textcolor rgb "#444444" front
	} else {
		set label 1 sprintf("from %d on", cliff) at cliff - 0.4, graph 0.07 left textcolor rgb "#222222" front
	}
}
set key outside center bottom horizontal
slow = two ? ", data using 1:($6/unit):($7/unit):($8/unit) axes x1y2 with yerrorbars pt 6 ps 0.8 lw 1.5 lc rgb same title 'the slower of two speeds'" : ""
eval "plot data using 1:2 with boxes lc rgb real title 'flushing share', data using 1:($3/unit):($4/unit):($5/unit) axes x1y2 with yerrorlines pt 7 ps 0.6 lw 2 lc rgb same title 'cost of a switch'".slow
