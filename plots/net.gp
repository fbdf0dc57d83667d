# SPDX-License-Identifier: GPL-2.0-or-later
# Net cost against the working set. Data: blocks of "pages median low high". argument: the blocks' names|L1 entries|L2 entries.
kind = ARG1; file = ARG2; data = ARG3; finding = ARG4; subject = ARG5; warning = ARG6; argument = ARG8; load ARG7
# Before any range is set: stats heeds them.
stats data using 2 nooutput
if (STATS_min == STATS_max) { set yrange [STATS_min / 2:STATS_max * 2] }
set xlabel "4 KiB pages touched after each switch"
set ylabel "nanoseconds per round trip, net"
set logscale xy
# Zero has no place on a logarithmic axis: it stands at one half.
x(p) = p == 0 ? 0.5 : p
set xrange [0.4:6000]
set xtics ("0" 0.5, "1" 1, "8" 8, "64" 64, "512" 512, "4096" 4096)
set key outside right noenhanced
bar = strstrt(argument, "|")
names = argument[1:bar-1]; rest = argument[bar+1:*]
l1 = int(rest[1:strstrt(rest, "|")-1]); l2 = int(rest[strstrt(rest, "|")+1:*])
do for [i=1:2] {
	knee = i == 1 ? l1 : l2
	if (knee > 0) {
		set arrow i from knee, graph 0 to knee, graph 0.94 nohead dt 2 lc rgb grey
		set label i sprintf("L%d dTLB, %d", i, knee) at knee, graph 0.93 rotate by 90 offset -0.7,0 right font ",10" textcolor rgb "#444444"
	}
}
if (l1 <= 0 && l2 <= 0) { set label 3 "sizes of the dTLB: unknown" at graph 0.99, graph 0.97 right font ",10" textcolor rgb "#444444" }
next_name(s, n) = n == 0 ? (strstrt(s, ",") ? s[1:strstrt(s, ",")-1] : s) : next_name(s[strstrt(s, ",")+1:*], n - 1)
plot for [i=0:STATS_blocks-1] data index i using (x($1)):2:3:4 with yerrorlines pt 5 + i ps 0.6 lw 2 lc i + 1 title next_name(names, i)
