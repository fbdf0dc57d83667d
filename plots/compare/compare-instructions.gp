# SPDX-License-Identifier: GPL-2.0-or-later
# Instructions per round trip: a group of bars per scenario, a bar per side, user below kernel. Data: place, name, user, all, change in
# words. argument: scenarios|sides|the sides' longest name|the scenarios' names.
kind = ARG1; file = ARG2; data = ARG3; finding = ARG4; subject = ARG5; warning = ARG6; argument = ARG8
part(s, n) = n == 0 ? (strstrt(s, "|") ? s[1:strstrt(s, "|")-1] : s) : part(s[strstrt(s, "|")+1:*], n - 1)
scenarios = int(part(argument, 0)); sides = int(part(argument, 1)); longest = int(part(argument, 2))
load ARG7
stats data using 4 nooutput
most = STATS_max
flat = longest * 7 * sides * scenarios < 760
set style fill solid 0.85 noborder
set boxwidth 0.8
set xrange [-0.8:scenarios * (sides + 1) - 1.2]
set yrange [0:1.18 * most]
set ylabel "instructions per round trip"
set format y "%.0f"
set bmargin (flat ? 3 : 1.5 + 0.45 * longest)
if (flat) { set xtics rotate by 0 center noenhanced font ",10" } else { set xtics rotate by 90 right noenhanced font ",10" }
set key at screen 0.98, screen 0.93 right vertical
do for [i=1:scenarios] {
	set label i part(argument, 2 + i) at first (i - 1) * (sides + 1) + (sides - 1) / 2.0, graph 0.965 center font ",11" noenhanced
}
plot data using 1:4:xtic(2) with boxes lc rgb real title "kernel", data using 1:3 with boxes lc rgb same title "user", data using 1:4:5 with labels offset 0,0.7 font ",10" notitle
