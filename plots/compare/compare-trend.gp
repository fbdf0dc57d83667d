# SPDX-License-Identifier: GPL-2.0-or-later
# A panel per scenario: each side's median with its interval, and its sessions. Data: two blocks per panel, of place, name, median, low, high, mark
# (0 base, 1 like it, 2 more, 3 less), and of its sessions' places and medians. argument: ns or counts|sets|their longest name|panels|base|each panel's name|and what it counts, ...
kind = ARG1; file = ARG2; data = ARG3; finding = ARG4; subject = ARG5; warning = ARG6; style = ARG7; argument = ARG8
part(s, n) = n == 0 ? (strstrt(s, "|") ? s[1:strstrt(s, "|")-1] : s) : part(s[strstrt(s, "|")+1:*], n - 1)
times = part(argument, 0) eq "ns"
sets = int(part(argument, 1)); longest = int(part(argument, 2)); panels = int(part(argument, 3)); base = part(argument, 4)
# Ranges before anything else: stats heeds ranges, and is not to be had between panels.
array low[panels]; array high[panels]; array from[panels]; array to[panels]
do for [i=1:panels] {
	stats data index 2*i-2 using 4 nooutput
	low[i] = STATS_min
	stats data index 2*i-2 using 5 nooutput
	high[i] = STATS_max
	stats data index 2*i-1 using 2 nooutput
	low[i] = STATS_min < low[i] ? STATS_min : low[i]; high[i] = STATS_max > high[i] ? STATS_max : high[i]
	from[i] = NaN; to[i] = NaN
	stats data index 2*i-2 every ::0::0 using 4 nooutput
	if (STATS_records > 0) { from[i] = STATS_min }
	stats data index 2*i-2 every ::0::0 using 5 nooutput
	if (STATS_records > 0) { to[i] = STATS_max }
}
columns = panels < 3 ? panels : panels == 4 ? 2 : 3
rows = (panels + columns - 1) / columns
pitch = 880 / columns
# Names lie where they have room, else they stand; only under the lowest panel of a column.
flat = longest * 7 * sets < pitch - 90
tall = rows == 1 ? 300 : rows == 2 ? 240 : 200
top = strlen(warning) ? 95 : 72
names = flat ? 25 : 15 + 6.5 * longest
width = 900
height = top + rows * tall + names + 35
unit = times ? "median ns per round trip, 95 % intervals" : "counts per round trip"
load style[1:strlen(style)-8]."compare/multiples.gp"
set multiplot
unset key
set grid ytics lc rgb "#dddddd" lt 1
set xrange [-0.5:sets - 0.5]
set errorbars 0.6
# An SVG's points are larger.
big = kind eq "svg" ? 0.6 : 1.1
array marks[3] = [7, 9, 11]
array names_of[3] = [times ? "base, or not significantly different" : "base, or as many", times ? "slower than ".base : "more than ".base, times ? "faster than ".base : "fewer than ".base]
array tints[3] = ["#444444", real, same]
do for [i=1:3] {
	set label i names_of[i] at screen X(60 + (i - 1) * 290), screen Y(height - 14) point pt marks[i] ps big lc rgb tints[i] offset 1,0 font ",11" noenhanced
}
do for [i=1:panels] {
	column = (i - 1) % columns; row = (i - 1) / columns
	set lmargin at screen X(20 + column * pitch + 60)
	set rmargin at screen X(20 + (column + 1) * pitch - 10)
	set tmargin at screen Y(top + row * tall + 22)
	set bmargin at screen Y(top + (row + 1) * tall - 12)
	set label 10 part(argument, 3 + 2 * i) at screen X(26 + column * pitch), screen Y(top + row * tall + 10) left font ",11" noenhanced
	if (times) {
		# At least 1 % of it, so that noise does not look like more.
		pad = 0.12 * (high[i] - low[i])
		pad = pad < 0.005 * high[i] ? 0.005 * high[i] : pad
		set yrange [low[i] - pad:high[i] + pad]
	} else {
		set yrange [0:high[i] > 0 ? 1.25 * high[i] : 1]
	}
	set ylabel part(argument, 4 + 2 * i) offset 1,0 font ",10" noenhanced
	unset object 1
	if (to[i] == to[i]) { set object 1 rectangle from graph 0, first from[i] to graph 1, first to[i] fc rgb "#e8e8e8" fs solid noborder behind }
	if (i + columns > panels) {
		if (flat) { set xtics rotate by 0 center noenhanced font ",11" } else { set xtics rotate by 90 right noenhanced font ",10" }
	} else {
		set xtics format "" noenhanced
	}
	set ytics font ",10"
	if (i + columns > panels) {
		plot data index 2*i-2 using 1:3:xtic(2) with lines lc rgb "#bbbbbb", data index 2*i-1 using 1:2 with points pt 6 ps 0.7*big lc rgb "#888888", for [m=1:3] data index 2*i-2 using 1:(($6 < 2 ? 1 : $6) == m ? $3 : NaN):4:5 with yerrorbars pt marks[m] ps big lw 1.5 lc rgb tints[m]
	} else {
		set xtics 0,1,sets format ""
		plot data index 2*i-2 using 1:3 with lines lc rgb "#bbbbbb", data index 2*i-1 using 1:2 with points pt 6 ps 0.7*big lc rgb "#888888", for [m=1:3] data index 2*i-2 using 1:(($6 < 2 ? 1 : $6) == m ? $3 : NaN):4:5 with yerrorbars pt marks[m] ps big lw 1.5 lc rgb tints[m]
		set format x
	}
	# Labels at places of the screen are drawn once.
	do for [k=1:3] { unset label k }
	unset label 1000; unset label 1001; unset label 1002
}
unset multiplot
