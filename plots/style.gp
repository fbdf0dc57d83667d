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
set title sprintf("{/:Bold %s}\n{/*0.8 %s}", finding, subject) offset 0,0.4
if (strlen(warning)) { set label 1000 warning at graph 0.5, graph 0.93 center textcolor rgb "#b00020" font ",15" noenhanced front }
set border 3 lc rgb grey
set tics nomirror textcolor rgb "black"
set grid ytics lc rgb "#dddddd" lt 1
set key top left reverse Left samplen 2 spacing 1.2
set tmargin 4.5
