# SPDX-License-Identifier: GPL-2.0-or-later
# Who borrows most, and what became of it, of a recorded watch.
kind = ARG1; file = ARG2; data = ARG3; finding = ARG4; subject = ARG5; warning = ARG6; argument = ARG8; load ARG7
set ylabel "times switched to"
set yrange [0:*]
set style data histograms
set style histogram rowstacked
set style fill solid 0.85 border -1
set boxwidth 0.8
# Names hold underscores.
set xtics rotate by -45 scale 0 noenhanced
set key outside right top reverse Left
plot data using 2:xtic(1) lc rgb "#2166ac" title "back to the same mm", \
     data using 3 lc rgb "#fddbc7" title "on to another mm", \
     data using 4 lc rgb "#67a9cf" title "to another kernel thread"
