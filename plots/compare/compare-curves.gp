# SPDX-License-Identifier: GPL-2.0-or-later
# A panel per scenario: time against the working set, a line per set. Data: for each panel a block per set, headed by its name:
# pages, median, low, high. argument: sets|their longest name|panels|the sets' names|the panels' names.
kind = ARG1; file = ARG2; data = ARG3; finding = ARG4; subject = ARG5; warning = ARG6; style = ARG7; argument = ARG8
part(s, n) = n == 0 ? (strstrt(s, "|") ? s[1:strstrt(s, "|")-1] : s) : part(s[strstrt(s, "|")+1:*], n - 1)
sets = int(part(argument, 0)); longest = int(part(argument, 1)); panels = int(part(argument, 2))
set datafile columnheaders
array low[panels]; array high[panels]; array pages[panels]
do for [i=1:panels] {
	first = (i - 1) * sets; last = i * sets - 1
	stats data index first:last using 3 nooutput
	low[i] = STATS_min
	stats data index first:last using 4 nooutput
	high[i] = STATS_max
	stats data index first:last using 1 nooutput
	pages[i] = STATS_max
}
columns = panels < 3 ? panels : panels == 4 ? 2 : 3
rows = (panels + columns - 1) / columns
pitch = 880 / columns
tall = rows == 1 ? 340 : rows == 2 ? 260 : 220
top = strlen(warning) ? 95 : 72
# The names, as many on a line as there is room for.
entry = 50 + 7 * longest
abreast = int(860 / entry); abreast = abreast < sets ? abreast : sets
width = 900
height = top + rows * tall + 30 + 20 * ((sets + abreast - 1) / abreast) + 10
unit = "median ns per round trip, 95 % intervals"
load style[1:strlen(style)-8]."compare/multiples.gp"
set multiplot
unset key
set grid xtics ytics lc rgb "#dddddd" lt 1
set errorbars 0.4
# An SVG's points are larger.
big = kind eq "svg" ? 0.35 : 0.6
tint(s) = colours[1 + s % 8]
dash(s) = s < 8 ? 1 : 2
do for [s=0:sets-1] {
	x0 = 30 + (s % abreast) * entry; y0 = top + rows * tall + 40 + 20 * (s / abreast)
	set arrow 1+s from screen X(x0), screen Y(y0) to screen X(x0 + 26), screen Y(y0) nohead lw 2 dt dash(s) lc rgb tint(s)
	set label 1+s part(argument, 3 + s) at screen X(x0 + 13), screen Y(y0) left point pt 5 + s ps big lc rgb tint(s) offset 2.2,0 font ",11" noenhanced
}
set label 990 "pages touched after each switch" at screen 0.5, screen Y(top + rows * tall + 18) center font ",11"
# Zero has no place on a logarithmic axis: it stands at one half. Sets stand a little beside each other.
x(p, s) = (p == 0 ? 0.5 : p) * 1.015 ** (s - (sets - 1) / 2.0)
set logscale x
set xtics ("0" 0.5, "1" 1, "8" 8, "64" 64, "512" 512, "4096" 4096) font ",10"
do for [i=1:panels] {
	column = (i - 1) % columns; row = (i - 1) / columns
	set lmargin at screen X(20 + column * pitch + 60)
	set rmargin at screen X(20 + (column + 1) * pitch - 10)
	set tmargin at screen Y(top + row * tall + 22)
	set bmargin at screen Y(top + (row + 1) * tall - 25)
	set label 991 part(argument, 2 + sets + i) at screen X(26 + column * pitch), screen Y(top + row * tall + 10) left font ",11" noenhanced
	set xrange [0.35:pages[i] * 1.6]
	if (high[i] > 3 * low[i]) {
		set logscale y
		set yrange [low[i] / 1.1:high[i] * 1.1]
		# Powers of ten alone may leave an axis bare.
		set ytics () font ",10"
		do for [k=0:12] {
			set ytics add (sprintf("%g", 10 ** k) 10 ** k, sprintf("%g", 2 * 10 ** k) 2 * 10 ** k, sprintf("%g", 5 * 10 ** k) 5 * 10 ** k)
		}
	} else {
		unset logscale y
		pad = 0.1 * (high[i] - low[i])
		pad = pad < 0.005 * high[i] ? 0.005 * high[i] : pad
		set yrange [low[i] - pad:high[i] + pad]
		set ytics autofreq font ",10"
	}
	plot for [s=0:sets-1] data index (i-1)*sets+s using (x($1, s)):2:3:4 with yerrorlines pt 5 + s ps big lw 1.5 dt dash(s) lc rgb tint(s)
	do for [s=0:sets-1] { unset label 1+s; unset arrow 1+s }
	unset label 990; unset label 1000; unset label 1001; unset label 1002
}
unset multiplot
