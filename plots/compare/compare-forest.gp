# SPDX-License-Identifier: GPL-2.0-or-later
# Each machine's ratio with its interval, a diamond for what those of a CPU model say together, and one for all: a panel for each row. Data: a block
# of labels (place from the top in pixels, text, 1 if it is no node), then for each panel three blocks: nodes (place, ratio, low, high, 1 if it
# answers differently, 1 if it has a line of its own), diamonds' corners, and their figures (where, place, text).
# argument: height|1 if the nodes are many|panels|base|each panel's row|and kernel, ...
kind = ARG1; file = ARG2; data = ARG3; finding = ARG4; subject = ARG5; warning = ARG6; style = ARG7; argument = ARG8
part(s, n) = n == 0 ? (strstrt(s, "|") ? s[1:strstrt(s, "|")-1] : s) : part(s[strstrt(s, "|")+1:*], n - 1)
tall = real(part(argument, 0)); many = int(part(argument, 1)); panels = int(part(argument, 2)); base = part(argument, 3)
array low[panels]; array high[panels]
do for [i=1:panels] {
	stats data index 3*i-2 using 3 nooutput
	low[i] = STATS_min < 1 ? STATS_min : 1
	stats data index 3*i-2 using 4 nooutput
	high[i] = STATS_max > 1 ? STATS_max : 1
}
left = 230
pitch = (panels == 1 ? 640.0 : panels == 2 ? 350.0 : 300.0)
width = left + panels * pitch + 20
top = strlen(warning) ? 122 : 100
height = top + tall + 60
unit = "ratio to ".base.", 95 % intervals"
load style[1:strlen(style)-8]."compare/multiples.gp"
set multiplot
unset key
unset grid
unset ytics
set border 0
set tmargin at screen Y(top)
set bmargin at screen Y(top + tall)
set yrange [tall:0]
# The labels are a panel without a frame.
unset xtics
set lmargin at screen 0
set rmargin at screen X(left)
set xrange [0:1]
plot data index 0 using (0.06):($3 == 1 ? $1 : NaN):2 with labels left font "Bold,11" noenhanced, data index 0 using (0.12):($3 == 0 ? $1 : NaN):2 with labels left font ",10" noenhanced
do for [k=1000:1002] { unset label k }
big = kind eq "svg" ? 0.5 : 0.9
set border 1 lc rgb grey
do for [i=1:panels] {
	set lmargin at screen X(left + (i - 1) * pitch + 10)
	set rmargin at screen X(left + i * pitch - 10)
	pad = 0.04 * (high[i] - low[i]) + 0.0005
	# Figures stand right of their diamonds.
	set xrange [low[i] - pad:high[i] + pad + 0.3 * (high[i] - low[i])]
	set xtics nomirror autofreq font ",10"
	set label 1 part(argument, 2 + 2 * i) at graph 0.5, screen Y(top - 28) center font ",11" noenhanced
	set label 2 part(argument, 3 + 2 * i) at graph 0.5, screen Y(top - 12) center font ",10" noenhanced
	set arrow 1 from first 1, graph 0 to first 1, graph 1 nohead lc rgb "#999999" dt 2 back
	set errorbars 0
	plot data index 3*i-2 using ($6 == 1 ? NaN : $2):1:3:4 with xerrorbars pt 7 ps 0.01 lw 0.5 lc rgb "#c8c8c8", \
		data index 3*i-2 using ($6 == 1 ? $2 : NaN):1:3:4 with xerrorbars pt 7 ps 0.01 lw 1.2 lc rgb "#666666", \
		data index 3*i-2 using ($5 == 0 ? $2 : NaN):1:($6 == 1 ? big : 0.3 * big) with points pt 7 ps variable lc rgb "#333333", \
		data index 3*i-2 using ($5 == 1 ? $2 : NaN):1:(($6 == 1 ? 1.4 : 0.8) * big) with points pt 9 ps variable lc rgb real, \
		data index 3*i-1 using 1:2 with filledcurves closed fs solid 0.9 lc rgb same, \
		data index 3*i using 1:2:3 with labels left offset 0.6,0 font ",10" noenhanced
	unset label 1; unset label 2
}
unset multiplot
