# SPDX-License-Identifier: GPL-2.0-or-later
# A few round trips on one CPU: a row per task, bars in the colour of the address space that is loaded, ticks for CR3 loads.
# Data: a block of rows (row, name), one block of bars (row, start, end) per mm, one of ticks (row, time) per kind.
# ARG8: "ROWS {COLOUR NAME}... ticks {KIND}..."
kind = ARG1; file = ARG2; data = ARG3; finding = ARG4; subject = ARG5; warning = ARG6; argument = ARG8; load ARG7
set xlabel "microseconds"
rows = int(word(argument, 1))
set yrange [(rows < 3 ? 3 : rows) - 0.4 : -0.6]
set ytics noenhanced scale 0
set xrange [0:*] noextend
unset grid
set grid xtics lc rgb "#dddddd" lt 1
set key outside right top vertical noenhanced
set style fill solid 0.85 noborder
array colours[8] = ["#777777", "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#f0e442", "#999933"]
plots = "plot data index 0 using (0):1:ytic(2) with dots lc rgb \"white\" notitle"
at = 2
block = 1
while (word(argument, at) ne "ticks") {
	plots = plots . sprintf(", data index %d using (($2+$3)/2):1:2:3:($1-0.3):($1+0.3) with boxxyerror lc rgb \"%s\" title \"%s is loaded\"", \
		block, colours[1 + int(word(argument, at))], word(argument, at + 1))
	at = at + 2
	block = block + 1
}
at = at + 1
while (at <= words(argument)) {
	tick = word(argument, at)
	name = tick eq "kept" ? "CR3 load, TLB kept" : tick eq "flushed" ? "CR3 load that flushed" : "TLB flush or shootdown"
	colour = tick eq "kept" ? "black" : tick eq "flushed" ? "#d55e00" : "#b00020"
	plots = plots . sprintf(", data index %d using 2:($1-0.42):(0):(0.84) with vectors nohead lw 2.5 lc rgb \"%s\" title \"%s\"", block, colour, name)
	at = at + 1
	block = block + 1
}
eval plots
