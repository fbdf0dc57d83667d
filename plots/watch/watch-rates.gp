# SPDX-License-Identifier: GPL-2.0-or-later
# Stacked switch rates by class over time, and the loads saved, of a recorded watch.
kind = ARG1; file = ARG2; data = ARG3; finding = ARG4; subject = ARG5; warning = ARG6; argument = ARG8; load ARG7
set xlabel "seconds"
set ylabel "switches per second"
set yrange [0:*]
set style fill solid 0.85 noborder
set key outside right top reverse Left
# Columns 2..7 from the bottom: the lazy ones first, so that their share is one area.
plot data using ($1-$11/2):($2+$3+$4+$5+$6+$7):11 with boxes lc rgb "#b2182b" title "real", \
     data using ($1-$11/2):($2+$3+$4+$5+$6):11 with boxes lc rgb "#f4a582" title "thread to thread", \
     data using ($1-$11/2):($2+$3+$4+$5):11 with boxes lc rgb "#fddbc7" title "on to another mm", \
     data using ($1-$11/2):($2+$3+$4):11 with boxes lc rgb "#2166ac" title "back to the same mm", \
     data using ($1-$11/2):($2+$3):11 with boxes lc rgb "#67a9cf" title "kernel thread to kernel thread", \
     data using ($1-$11/2):2:11 with boxes lc rgb "#d1e5f0" title "user to kernel thread", \
     data using ($1-$11/2):10 with lines lw 2 lc rgb "black" title "CR3 loads saved"
