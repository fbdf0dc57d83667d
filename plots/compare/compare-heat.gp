# SPDX-License-Identifier: GPL-2.0-or-later
# A row per scenario and parameters, a column per set, coloured by the change against the base. Data: blocks of rows (place,
# name), columns (place, name), changed cells (column, row, value, text) and others.
# argument: % or counts|rows|their longest name|columns|their longest name|end of the colours' scale|base.
kind = ARG1; file = ARG2; data = ARG3; finding = ARG4; subject = ARG5; warning = ARG6; style = ARG7; argument = ARG8
part(s, n) = n == 0 ? (strstrt(s, "|") ? s[1:strstrt(s, "|")-1] : s) : part(s[strstrt(s, "|")+1:*], n - 1)
rows = int(part(argument, 1)); left = 25 + 6.6 * int(part(argument, 2)); columns = int(part(argument, 3)); longest = int(part(argument, 4))
most = real(part(argument, 5)); base = part(argument, 6)
wide = (860 - left) / columns
wide = wide > 200 ? 200 : wide < 46 ? 46 : wide
high = rows < 10 ? 28 : 21
flat = longest * 6.8 < wide
top = (strlen(warning) ? 90 : 68) + (flat ? 25 : 15 + 6.5 * longest)
width = 900 > left + wide * columns + 40 ? 900 : int(left + wide * columns + 40)
height = int(top + rows * high + 75)
unit = part(argument, 0) eq "%" ? "change of the median, %" : "counts per round trip"
load style[1:strlen(style)-8]."compare/multiples.gp"
set lmargin at screen X(left)
set rmargin at screen X(left + wide * columns)
set tmargin at screen Y(top)
set bmargin at screen Y(top + rows * high)
set xrange [-0.5:columns - 0.5]
set x2range [-0.5:columns - 0.5]
set yrange [rows - 0.5:-0.5]
unset grid
unset key
set border 0
unset xtics
set x2tics scale 0 noenhanced font ",11"
if (!flat) { set x2tics rotate by 90 left font ",10" }
set ytics scale 0 noenhanced font ",10"
set palette defined (-1 "#2166ac", -0.5 "#92c5de", 0 "#f7f7f7", 0.5 "#f4a582", 1 "#b2182b")
set cbrange [-most:most]
# From the left edge, where it has room for its text whatever the rows are called.
set colorbox horizontal user origin screen X(25), screen Y(top + rows * high + 30) size screen X(260), screen 12. / height
set cbtics scale 0.5 font ",10" offset 0,0.5
set format cb "%+g"
set cbtics add ("0" 0)
set label 1 (part(argument, 0) eq "%" ? "% more or less than " : "per round trip, more or less than ").base at screen X(300), screen Y(top + rows * high + 24) left font ",11" noenhanced
set style fill solid noborder
dark(v) = abs(v) > 0.75 * most ? 0xffffff : 0x000000
plot data index 0 using (-9):1:ytic(2) with dots notitle, \
     data index 1 using 1:(-9):x2tic(2) axes x2y1 with dots notitle, \
     data index 3 using 1:2:($1-0.48):($1+0.48):($2-0.46):($2+0.46):(strcol(4) eq "-" ? 0xffffff : 0xebebeb) with boxxyerror lc rgb variable, \
     data index 2 using 1:2:($1-0.48):($1+0.48):($2-0.46):($2+0.46):3 with boxxyerror lc palette, \
     data index 3 using 1:2:4 with labels font ",10" textcolor rgb "#555555" noenhanced, \
     data index 2 using 1:2:4:(dark($3)) with labels font ",11" textcolor rgb variable noenhanced
