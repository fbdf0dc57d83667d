# SPDX-License-Identifier: GPL-2.0-or-later
# Stacked switch rates by class over time, and the loads saved, of a recorded watch.
if (!exists("dir")) dir = "."
file = dir . "/watch-rates.tsv"
set title "Context switches by what they do with the loaded address space"
set xlabel "seconds"
set ylabel "switches per second"
set yrange [0:*]
set style fill solid 0.85 noborder
set key outside right top reverse Left
# Columns 2..7 from the bottom: the lazy ones first, so that their share is one area.
plot file using ($1-$11/2):($2+$3+$4+$5+$6+$7):11 with boxes lc rgb "#b2182b" title "real", \
     file using ($1-$11/2):($2+$3+$4+$5+$6):11 with boxes lc rgb "#f4a582" title "thread to thread", \
     file using ($1-$11/2):($2+$3+$4+$5):11 with boxes lc rgb "#fddbc7" title "on to another mm", \
     file using ($1-$11/2):($2+$3+$4):11 with boxes lc rgb "#2166ac" title "back to the same mm", \
     file using ($1-$11/2):($2+$3):11 with boxes lc rgb "#67a9cf" title "kernel thread to kernel thread", \
     file using ($1-$11/2):2:11 with boxes lc rgb "#d1e5f0" title "user to kernel thread", \
     file using ($1-$11/2):10 with lines lw 2 lc rgb "black" title "CR3 loads saved"
