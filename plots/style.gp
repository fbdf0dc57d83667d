# SPDX-License-Identifier: GPL-2.0-or-later
# What every picture shares. Each program takes: ARG1 terminal (svg, png), ARG2 output, ARG3 data file, ARG4 the finding,
# ARG5 machine and kernel, ARG6 a warning or nothing, ARG7 this file, ARG8 what is special to the picture. One that
# depends on its data for its size sets width and height before.
if (!exists("width")) { width = 900 }
if (!exists("height")) { height = 520 }
if (kind eq "svg") {
	set terminal svg size width,height dynamic font "DejaVu Sans,13" background "white"
} else {
	set terminal pngcairo size int(1.5 * width),int(1.5 * height) font "DejaVu Sans,14" background "white"
}
set output file
set encoding utf8
# Colours that colour-blind readers can tell apart (Okabe and Ito).
lazy = "#009e73"; same = "#0072b2"; real = "#d55e00"; other = "#cc79a7"; forced = "#e69f00"; grey = "#777777"
# The warning lies between title and frame, where no bar reaches.
set title sprintf("{/:Bold %s}\n{/*0.8 %s}", finding, subject) offset 0,(strlen(warning) ? 1.5 : 0.4)
if (strlen(warning)) { set label 1000 warning at graph 0.5, graph 1.035 center textcolor rgb "#b00020" font ",13" noenhanced front }
set border 3 lc rgb grey
set tics nomirror textcolor rgb "black"
set grid ytics lc rgb "#dddddd" lt 1
set key top left reverse Left samplen 2 spacing 1.2
set tmargin (strlen(warning) ? 6 : 4.5)
# The unit in which so many nanoseconds have at most three digits before the point, and its name.
unit_of(ns) = ns >= 1e9 ? 1e9 : ns >= 1e6 ? 1e6 : ns >= 1e3 ? 1e3 : 1
name_of(unit) = unit == 1e9 ? "seconds" : unit == 1e6 ? "milliseconds" : unit == 1e3 ? "microseconds" : "nanoseconds"
short(ns) = sprintf("%.3g %s", ns / unit_of(ns), ns >= 1e9 ? "s" : ns >= 1e6 ? "ms" : ns >= 1e3 ? "µs" : "ns")
# Ticks for a logarithmic axis of nanoseconds, each in its own unit: eval "set ytics (".ticks(least, most).")". Those of a short axis are
# as far from each other as on a linear one: powers of ten would leave it bare.
steps(k, last, fine) = sprintf("'%s' %g", short(10.0**k), 10.0**k).(fine ? sprintf(", '%s' %g, '%s' %g", short(2 * 10.0**k), 2 * 10.0**k, short(5 * 10.0**k), 5 * 10.0**k) : "").(k < last ? ", ".steps(k + 1, last, fine) : "")
even(at, last, step) = sprintf("'%s' %.12g", short(at), at).(at + step <= last ? ", ".even(at + step, last, step) : "")
round_step(r) = 10.0**floor(log10(r)) * (r / 10.0**floor(log10(r)) >= 5 ? 1 : r / 10.0**floor(log10(r)) >= 2 ? 0.5 : 0.2)
ticks(least, most) = most < 8 * least ? even(ceil(least / 1.2 / round_step(1.2 * most - least / 1.2)) * round_step(1.2 * most - least / 1.2), 1.2 * most, round_step(1.2 * most - least / 1.2)) : steps(int(floor(log10(least))), int(ceil(log10(most))), most < 2000 * least)
# Names in a list, and what follows it, from 0.
listed(s, n, by) = n == 0 ? (strstrt(s, by) ? s[1:strstrt(s, by)-1] : s) : listed(s[strstrt(s, by)+1:*], n - 1, by)
pale(colour) = int(255 - 0.4 * (255 - (colour / 65536))) * 65536 + int(255 - 0.4 * (255 - (colour / 256) % 256)) * 256 + int(255 - 0.4 * (255 - colour % 256))
