# SPDX-License-Identifier: GPL-2.0-or-later
# What pictures of a comparison share, loaded in place of style.gp: places in pixels from the top left of a canvas that is
# width wide and height high (set before, as style: style.gp, and unit, what is shown). Titles are labels, for a title belongs to one panel.
load style
X(px) = px / real(width)
Y(px) = 1 - px / real(height)
# The size at which a text of so many characters fills the width, or less for a longer one.
fits(text, n, size) = strlen(text) > n ? int(size * real(n) / strlen(text)) : size
unset title
unset label 1000
set label 1001 sprintf("{/:Bold %s}", finding) at screen 0.5, screen Y(22) center font sprintf(",%d", fits(finding, 100, 14)) front
set label 1002 sprintf("%s: %s", subject, unit) at screen 0.5, screen Y(44) center font sprintf(",%d", fits(subject.unit, 135, 11)) front
if (strlen(warning)) { set label 1000 warning at screen 0.5, screen Y(66) center textcolor rgb "#b00020" font ",12" noenhanced front }
array colours[8] = ["#000000", "#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#999933"]
