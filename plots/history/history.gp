# SPDX-License-Identifier: GPL-2.0-or-later
# A panel per scenario and machine: medians by kernel or by time. Data: a block per panel of place, name, median, low, high, and
# whether a change lies before it. argument: most points of a panel|their longest name|panels|the panels' names.
kind = ARG1; file = ARG2; data = ARG3; finding = ARG4; subject = ARG5; warning = ARG6; style = ARG7; argument = ARG8
part(s, n) = n == 0 ? (strstrt(s, "|") ? s[1:strstrt(s, "|")-1] : s) : part(s[strstrt(s, "|")+1:*], n - 1)
most = int(part(argument, 0)); longest = int(part(argument, 1)); panels = int(part(argument, 2))
# Ranges before anything else: stats heeds ranges, and is not to be had between panels.
array low[panels]; array high[panels]; array points[panels]
do for [i=1:panels] {
	low[i] = NaN; high[i] = NaN; points[i] = 1
	stats data index i-1 using 4 nooutput
	if (STATS_records > 0) { low[i] = STATS_min }
	stats data index i-1 using 5 nooutput
	if (STATS_records > 0) { high[i] = STATS_max }
	stats data index i-1 using 1 nooutput
	if (STATS_records > 0) { points[i] = int(STATS_max) + 1 }
}
columns = panels < 2 ? 1 : 2
rows = (panels + columns - 1) / columns
pitch = 880 / columns
tall = rows == 1 ? 300 : 220
names = 15 + 6.5 * longest
top = 72
width = 900
height = top + rows * (tall + names) + 10
unit = "median ns per round trip, or counts where it says so"
load style[1:strlen(style)-8]."compare/multiples.gp"
set multiplot
unset key
set grid ytics lc rgb "#dddddd" lt 1
set errorbars 0.4
big = kind eq "svg" ? 0.4 : 0.8
do for [i=1:panels] {
	column = (i - 1) % columns; row = (i - 1) / columns
	set lmargin at screen X(20 + column * pitch + 60)
	set rmargin at screen X(20 + (column + 1) * pitch - 10)
	set tmargin at screen Y(top + row * (tall + names) + 22)
	set bmargin at screen Y(top + row * (tall + names) + tall - 12)
	set label 10 part(argument, 2 + i) at screen X(26 + column * pitch), screen Y(top + row * (tall + names) + 10) left font ",11" noenhanced
	pad = 0.12 * (high[i] - low[i])
	pad = pad < 0.005 * high[i] ? 0.005 * high[i] : pad
	pad = pad > 0 ? pad : 0.5
	if (low[i] == low[i] && high[i] == high[i]) { set yrange [low[i] - pad:high[i] + pad] } else { set yrange [0:1] }
	set xrange [-0.5:points[i] - 0.5]
	set ytics font ",10"
	set xtics rotate by 90 right noenhanced font ",10"
	# As many names as have room.
	step = int(ceil(points[i] * 12.0 / (pitch - 70)))
	plot data index i-1 using ($6 > 0 ? $1 - 0.5 : NaN):(low[i] - pad):(0):(high[i] - low[i] + 2 * pad) with vectors nohead lw 1.5 lc rgb "#d55e00", \
		data index i-1 using 1:3 with lines lc rgb "#bbbbbb", \
		data index i-1 using 1:3:4:5:xtic(int($0) % step ? NaN : stringcolumn(2)) with yerrorbars pt 7 ps big lw 1 lc rgb "#444444"
	unset label 1000; unset label 1001; unset label 1002
}
unset multiplot
