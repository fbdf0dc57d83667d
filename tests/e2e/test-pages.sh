#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016 # the inner shells expand
# The pages in a browser: contents, sorting and filtering, steps of a story by a click; and what is left of them without script.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")/../.." && pwd)

browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
if [ -z "$browser" ]; then
	skip "no Chromium is installed: pages are not looked at"
	exit 0
fi

# dom PAGE SCRIPT: the page as it is after SCRIPT ran at its end.
dom() {
	sed "s|</body>|<script>$2</script></body>|" "$1" >"$tmp/page.html"
	timeout 60 "$browser" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
		--disable-component-update --disable-sync --user-data-dir="$tmp/profile" --dump-dom "file://$tmp/page.html" 2>/dev/null
}

without_script() { python3 -c 'import re, sys; print(re.sub(r"<script.*?</script>", "", open(sys.argv[1]).read(), flags=re.S))' "$1"; }

run explain process --round-trips 2 --perfetto "$tmp/trace.json" -o "$tmp/story"
check "explain writes timeline, page and trace" [ "$status" = 0 -a -s "$tmp/story/explain.html" -a -s "$tmp/story/explain.svg" -a -s "$tmp/trace.json" ]
page=$tmp/story/explain.html
dom "$page" "" >"$tmp/dom"
check "the story begins at its first step" grep -q 'id="place">step 1 of ' "$tmp/dom"
check "  with who runs, what is loaded and the counts" sh -c 'grep -q "CR3: " "$1" && grep -q "mm A" "$1"' - "$tmp/dom"
dom "$page" 'document.getElementById("forward").click(); document.getElementById("forward").click()' >"$tmp/dom"
check "two clicks go to the third step" grep -q 'id="place">step 3 of ' "$tmp/dom"
check "  and mark its row, and no other" [ "$(grep -o '<tr[^>]*class="now"' "$tmp/dom" | wc -l)" = 1 ]
dom "$page" 'document.querySelectorAll("#steps tbody tr")[1].click()' >"$tmp/dom"
check "a click on a row goes to it" grep -q 'id="place">step 2 of ' "$tmp/dom"
without_script "$page" >"$tmp/dom"
check "without script the table of all steps is there" [ "$(grep -c '<tr><td.*real switch' "$tmp/dom")" -ge 4 ]

check "the trace: slices do not overlap on a track, arrows begin and end in pairs" python3 - "$tmp/trace.json" <<'PY'
import json, sys
events = json.load(open(sys.argv[1]))["traceEvents"]
tracks, arrows = {}, {}
for e in events:
    if e["ph"] == "X":
        tracks.setdefault((e["pid"], e["tid"]), []).append((e["ts"], e["ts"] + e["dur"]))
    if e["ph"] in "sf":
        arrows.setdefault(e["id"], []).append(e["ph"])
named = {(e["pid"], e["tid"]) for e in events if e["ph"] == "M" and "tid" in e}
assert set(tracks) <= named, (set(tracks), named)
for spans in tracks.values():
    spans.sort()
    assert all(a[1] <= b[0] + 1e-6 for a, b in zip(spans, spans[1:])), spans
assert all(v == ["s", "f"] for v in arrows.values()), arrows
assert any(e["ph"] == "i" and e["name"].startswith("CR3 load") for e in events)
PY
run explain kworker --round-trips 2 --perfetto "$tmp/lazy.json"
check "a lazy switch: arrows for borrowing and giving back, no CR3 load" python3 - "$tmp/lazy.json" <<'PY'
import json, sys
events = json.load(open(sys.argv[1]))["traceEvents"]
names = {e["name"] for e in events if e["ph"] == "s"}
assert names == {"borrows", "gives back"}, names
PY
refuses "a trace that cannot be written" 1 "cannot write" explain kworker --round-trips 1 --perfetto "$tmp/none/trace.json"

cp -r "$here/results/reference/linux-6.18-amd-epyc-vm" "$tmp/set"
"$activemm" report "$tmp/set" >/dev/null 2>&1
page=$tmp/set/report.html
dom "$page" "" >"$tmp/dom"
check "every section is in the contents, and each of these leads to one" python3 - "$tmp/dom" <<'PY'
import re, sys
text = open(sys.argv[1]).read()
links = re.findall(r'<a href="#(s\d+)">', text)
assert len(links) > 5 and len(links) == len(re.findall(r"<h2 id=", text)), links
assert all(f'<h2 id="{l}"' in text for l in links)
PY
cat >"$tmp/sort.js" <<'JS'
const t = document.querySelector("th.sortable").closest("table"); const n = Array.from(t.querySelectorAll("th")).findIndex((h) => h.textContent.startsWith("per round trip")); const at = () => Array.from(t.querySelectorAll("td")).filter((d) => d.cellIndex === n).map((d) => d.textContent).join(";"); t.querySelectorAll("th")[n].click(); const up = at(); t.querySelectorAll("th")[n].click(); document.title = "UP " + up + " DOWN " + at();
JS
dom "$page" "$(sed 's/[|&]/\\&/g' "$tmp/sort.js")" >"$tmp/dom"
check "a click on a column's head sorts by it, with its units, and back" python3 - "$tmp/dom" <<'PY'
import re, sys
title = re.search(r"<title>(.*?)</title>", open(sys.argv[1]).read(), re.S)[1]
up, down = re.fullmatch(r"UP (.*) DOWN (.*)", title, re.S).groups()
def ns(cell):
    m = re.match(r"([\d.]+)\s*(\S+)", cell)
    return float(m[1]) * {"ns": 1, "us": 1e3, "µs": 1e3, "ms": 1e6}[m[2]]
v = [ns(c) for c in up.split(";")]
assert len(v) > 3 and v == sorted(v), v
assert [ns(c) for c in down.split(";")] == sorted(v, reverse=True)
PY
dom "$page" 'const f = document.querySelector("input.filter"); f.value = "kworker"; f.oninput(); document.title = "LEFT " + Array.from(f.nextElementSibling.querySelectorAll("tr")).filter((r) => !r.hidden \&\& r.cells[0].tagName === "TD").map((r) => r.cells[0].textContent).join(",")' >"$tmp/dom"
check "the filter leaves the rows that hold its words" grep -qE '<title>LEFT (kworker|refcount)[a-z,]*</title>' "$tmp/dom"
without_script "$page" >"$tmp/dom"
check "without script the page has its tables and pictures" sh -c 'grep -q "<svg" "$1" && grep -q "<td>kworker" "$1" ' - "$tmp/dom"
check "nothing on the page comes from elsewhere" sh -c '! grep -qE "(src|href)=\"(https?:)?//" "$1"' - "$page"
