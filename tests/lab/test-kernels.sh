#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The oldest and the newest supported kernel, in QEMU, both booted once, for all that is proved there: the module's own
# promises, every scenario's claim, stories, the watch, --isolate. Under emulation counts are exact and times mean nothing.
# A kernel that cannot be had is skipped. ACTIVEMM_LAB_TEST_KERNELS names others.
set -u

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
workload=$(dirname "$activemm")/tests/watch/workload

# What a section printed: from the end of the one before it.
said() { awk -v end="== $1: " 'index($0, end) == 1 { printf "%s", text } /^== / { text = ""; next } { text = text $0 "\n" }' "$tmp/guest"; }

# section NAME WHAT [CHECK ARGUMENTS...]: whether it ended well in the guest, and what else is asked of it
section() {
	local name=$1 what=$2 status
	shift 2
	status=$(sed -n "s/^== $name: //p" "$tmp/guest")
	said "$name" >"$tmp/log"
	if [ -z "$status" ]; then
		cp "$tmp/guest" "$tmp/log" && not_ok "$what (the guest did not come to its end)"
	elif [ $# -gt 0 ] && ! "$@" "$status" >>"$tmp/log" 2>&1 || { [ $# = 0 ] && [ "$status" != 0 ]; }; then
		not_ok "$what (status $status)"
	else
		ok "$what ($(grep -c '^ok' "$tmp/log") checks)"
	fi
}

claims() { # SET STATUS
	[ "$2" = 0 ] && python3 - "$1" <<'PY'
import json, sys
d = sys.argv[1]
trials = [t for t in map(json.loads, open(d + "/trials.jsonl")) if t["valid"]]
assert not json.load(open(d + "/machine.json"))["times_meaningful"], "times under emulation must be marked"
want = {"thread": (2, 0), "process": (2, 2), "kworker": (2, 0), "idle": (2, 0),
        "lazy": (2, 0), "isolated": (2, 2), "leave": (2, 2), "reload": (2, 0), "flush": (2, 0)}
seen = set()
for t in trials:
    key = t["params"].get("mode", t["scenario"])
    seen.add(key)
    n, c = t["round_trips"]["counted"], t["counters"]
    switches, loads = (t["params"]["n"],) * 2 if key == "ring" else want[key]
    # The idle task of an emulated CPU may leave the mm; a kernel thread passes by now and then (lib/results/tolerance.h).
    for name, per in (("context-switches", switches), ("cr3-loads", loads)):
        if key == "idle" and name == "cr3-loads":
            continue
        assert abs(c[name]["value"] - per * n) <= 8 + 0.005 * per * n + 0.05 * n, (key, name, c[name], n)
    if loads and t["scenario"] != "idle":
        assert c["cr3-flushes"]["value"] == c["cr3-loads"]["value"], "without PCIDs every load flushes"
    if key in ("reload", "flush"):
        assert c["module-cr3-writes"]["value"] == 2 * n, (key, c["module-cr3-writes"], n)
missing = set(want) - seen - (set() if "lazy" in seen else {"lazy", "isolated", "leave", "reload", "flush"})
assert not missing, missing
PY
}

witness() { # STATUS; where the trial's partner begins and ends the mm changes besides
	[ "$1" = 0 ] && python3 - "$tmp/log" <<'PY'
import json, sys
text = open(sys.argv[1]).read()
w = json.loads(text[text.index("{"):])["witness"]
assert w["changes"] == 40 and w["changes"] <= w["seen"] <= w["changes"] + 12, w
PY
}

# A kernel thread that passes by weighs much in so few round trips: what was never valid is judged by its counts.
remote() { # SET STATUS
	python3 - "$1" <<'PY'
import json, re, sys
want = { # CR3 loads here; flushes asked of the other CPU (a range), IPIs that came there, its CR3 loads
    "stopper": (0,), "interposed": (2,), "stale own": (1,), "stale other": (0,), "refcount": (0,),
    "flush madvise shared": (0, (1, 1)), "flush madvise own": (0, (0, 0)),
    "shootdown lazy mprotect": (0, (1, 2), 0, 1), "shootdown lazy munmap": (0, (1, 1), 1, 2),
    "shootdown absent mprotect": (0, (0, 0), 0, 0), "shootdown absent munmap": (0, (0, 0), 0, 0), "shootdown active madvise": (0, (1, 1), 1, 0)}
# A CPU that left is out of mm_cpumask at once before Linux 6.14; later it is asked in vain, and interrupted where page tables are freed.
stays = tuple(map(int, re.findall(r"\d+", json.load(open(sys.argv[1] + "/machine.json"))["kernel"]["release"])[:2])) >= (6, 14)
want["shootdown left mprotect"] = (0, (1, 2) if stays else (0, 0), 0, 2)
want["shootdown left munmap"] = (0, (1, 1) if stays else (0, 0), 1 if stays else 0, 2)
best = {}
for t in map(json.loads, open(sys.argv[1] + "/trials.jsonl")):
    p = t["params"]
    key = " ".join([t["scenario"]] + [p[k] for k in ("state", "op", "mm") if k in p and (k, t["scenario"]) not in
                                      (("op", "stale"), ("mm", "refcount"))])
    if key not in best or t["valid"]:
        best[key] = t
assert set(best) == set(want), set(want) ^ set(best)
for key, t in best.items():
    def near(what, got, low, high):
        assert low - 0.15 <= got <= high + 0.15, (key, what, got, low, high)
    w, c = want[key], t["counters"]
    near("cr3-loads", c["cr3-loads"]["per_round_trip"], w[0], w[0])
    if t["scenario"] == "flush": # 5.10 counts the asking CPU's own flush as one that came, too
        near("tlb-ipis", c["tlb-ipis"]["per_round_trip"], *w[1])
        near("arrived", t["figures"]["tlb-interrupts"]["value"], w[1][0], 2 * w[1][1])
        continue
    if len(w) > 1:
        near("tlb-ipis", c["tlb-ipis"]["per_round_trip"], *w[1])
        near("arrived", t["figures"]["tlb-interrupts"]["value"], w[2], w[2])
        near("arrived by event", sum(t["remote"]["counters"][c]["per_round_trip"] for c in ("tlb-shootdowns", "tlb-shootdowns-left")),
             *(w[2] - (key == "shootdown lazy munmap"),) * 2)
        near("remote loads", t["remote"]["counters"]["cr3-loads"]["per_round_trip"], w[3], w[3])
PY
}

# The mm outlives its exit_mmap(), and the borrower frees it; without one it is freed elsewhere.
exits() { # SET STATUS
	[ "$2" = 0 ] && python3 - "$1" <<'PY'
import json, sys
trials = {t["params"]["borrow"]: t for t in map(json.loads, open(sys.argv[1] + "/trials.jsonl")) if t["valid"]}
assert set(trials) == {"lazy", "none"}, set(trials)
for borrow, t in trials.items():
    loads, figures = t["counters"]["cr3-loads"]["per_round_trip"], t["figures"]
    # A kernel thread that passes by costs a load or two in all.
    assert abs(loads - 3 * (borrow == "lazy")) <= 0.2, (borrow, loads)
    if "value" in figures["zombies-seen"]: # BPF
        assert figures["exit-mmap"]["value"] > 0 and figures["zombie-freed"]["value"] > 0, figures
        assert abs(figures["freed-by-borrower"]["value"] - (borrow == "lazy")) <= 0.15, figures
zombie = trials["lazy"]["figures"]
if "value" in zombie["zombies-seen"]:
    assert zombie["zombie-mm-users"]["value"] < 0.1 and 0.9 < zombie["zombie-mm-count"]["value"] < 1.5, zombie
PY
}

# Newer kernels may be without cgroup v1's cpusets.
cgroup_of() { if [ "$1" = oldest ]; then echo v1; else echo v2; fi; } # KERNEL

# start KERNEL: boots it in the background
start() {
	local kernel=$1 release module files=()
	release=$("$top/scripts/kernel-lab" fetch --install "$kernel" 2>&1 | tee "$tmp/log" | sed -n 's/^kernel-lab: \([^ ]*\) (.*/\1/p')
	if [ -z "$release" ]; then
		skip "$kernel"
		return
	fi
	mkdir -p "$tmp/$release"
	if module=$("$top/scripts/kmod-build" "$release" "$tmp/$release" 2>"$tmp/log") && make -s -C "$here/../kmod" OUT="$tmp" 2>>"$tmp/log"; then
		files+=(--file "$module:/activemm.ko" --file "$tmp/kmod-test:/kmod-test")
	else
		skip "$kernel: activemm.ko, and the scenarios that want it"
	fi
	if [ -x "$workload" ]; then
		files+=(--file "$workload:/bin/workload")
	else
		echo "skipped: $workload is not built (make check TESTS=)" >"$tmp/log"
		skip "$kernel: the watch"
	fi
	{
		"$top/scripts/kernel-lab" boot "$release" --cpus 2 --time "${ACTIVEMM_LAB_TEST_TIME:-600}" --activemm "$activemm" --file "$activemm:/bin/activemm" \
			--file "$here/all-guest.sh:/bin/all-guest.sh" --file "$here/explain-guest.sh:/bin/explain-guest.sh" \
			--file "$here/isolate-guest.sh:/bin/isolate-guest.sh" --file "$here/../watch/guest.sh:/bin/watch-guest.sh" "${files[@]}" \
			--results "$tmp/$release" -- sh /bin/all-guest.sh "$(cgroup_of "$kernel")" >"$tmp/$release/said" 2>"$tmp/$release/log"
		echo $? >"$tmp/$release/status"
	} &
	kernels+=("$kernel") started+=("$release")
}

# prove KERNEL RELEASE: what came of its boot
prove() {
	local kernel=$1 release=$2 status signal
	cp "$tmp/$release/log" "$tmp/log" && cp "$tmp/$release/said" "$tmp/guest"
	read -r status <"$tmp/$release/status"
	case $status in
	3 | 77) skip "$kernel" && return ;;
	0) ;;
	*) not_ok "$kernel: the kernel and the lab (status $status)" ;;
	esac
	[ ! -s "$tmp/kmod-test" ] || section module "$kernel: activemm.ko keeps its promises"
	section claims "$kernel: every scenario's claim holds" claims "$tmp/$release/claims"
	section remote "$kernel: claims on two CPUs hold" remote "$tmp/$release/remote"
	section exit "$kernel: the zombie mm is freed by the CPU that borrowed it" exits "$tmp/$release/exit"
	releases+=("$release")
	section witness "$kernel: a kernel function bears the tracepoint witness" witness
	section stories "$kernel: stories keep to the claims"
	[ ! -x "$workload" ] || section watch "$kernel: the watch classes switches"
	for signal in TERM KILL; do
		section isolate-$signal "$kernel: cpusets of cgroup $(cgroup_of "$kernel") give the CPU up and get it back, SIG$signal"
	done
}

counted_left() { grep -qE "^COUNT shootdown state=left,op=$1,.*: $2 per round trip: (0\.9[0-9]|$3\.[0-9]*), was 0\.0" "$tmp/log"; } # OPERATION COUNT NEW

# Since 6.14 a CPU that left is asked to flush: a real change of the kernel, which a comparison of both sides of it has first.
compare_left() {
	local old=${releases[0]} new=${releases[-1]}
	printf '%s\n' "$old" 6.13.999 "$new" | sort -VC && [ "$old" != "$new" ] || return 0
	"$activemm" compare "$tmp/$old/remote" "$tmp/$new/remote" >"$tmp/log" 2>&1
	if head -n 1 "$tmp/log" | grep -qE "^[^:]*: [a-z-]* of shootdown state=left,op=m(protect|unmap),[^ ]* changed from 0\.0" &&
		counted_left mprotect tlb-ipis '[12]' && counted_left munmap tlb-ipis 1 && counted_left munmap remote-tlb-shootdowns-left 1; then
		ok "$old and $new differ first in whether a CPU that left is asked to flush, and interrupted"
	else
		not_ok "$old and $new differ first in whether a CPU that left is asked to flush, and interrupted"
	fi
}

# Beside each other: a guest waits for a third of its time.
kernels=() started=() releases=()
for kernel in ${ACTIVEMM_LAB_TEST_KERNELS:-oldest newest}; do
	start "$kernel"
done
wait
for i in "${!kernels[@]}"; do
	prove "${kernels[i]}" "${started[i]}"
done
[ ${#releases[@]} = 0 ] || compare_left
