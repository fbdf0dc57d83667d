#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The claims of scenarios of two CPUs, on the running kernel, against perf stat of all: shootdowns, shared mms, the way out of idle;
# migrations.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

refuses "a shootdown of no page is refused" 2 "the value must be a number from 1 to 4096" run shootdown:pages=0 -o "$tmp/none"
refuses "so is a state that does not exist" 2 "must be one of active, lazy, absent, left" run shootdown:state=asleep -o "$tmp/none"
refuses "a flush by no task is refused, too, and one of too many pages" 2 "the value must be a number from 1 to 8192" run flush:n=0 -o "$tmp/none"
refuses "  each with its range" 2 "the value must be a number from 1 to 4096" run flush:pages=4097 -o "$tmp/none"
refuses "  and an operation that does not flush" 2 "must be one of mprotect, madvise, munmap" run flush:op=mmap -o "$tmp/none"
refuses "so are a pause and a number of CPUs beyond the range" 2 "must be a number from 0 to 20" run shootdown:pause=21 -o "$tmp/none"

cpu=$(measured_cpu)
"$activemm" info --json | grep -q '"verified": true' || { skip "claims: the kernel's events are out of reach here"; exit 0; }
perf=$(command -v perf) || perf=
if [ "$(nproc)" = 1 ]; then
	skip "scenarios of two CPUs"
	exit 0
fi

run run idle:wake=remote --trials 2 --iterations 3000 -o "$tmp/wake"
check "a wake-up from another CPU keeps its claim, with exact numbers of switches" json "$tmp/wake/trials.jsonl" \
	"$status == 0 and all(abs(x['counters']['context-switches']['per_round_trip'] - 2) < 0.03 for x in t if x['valid'])"

# Scenarios of two CPUs. Their counts are claims: CR3 loads here and there, flushes asked for and IPIs that came.
run run stopper interposed shootdown:state=active/lazy/absent,op=mprotect/madvise/munmap \
	shootdown:state=left,op=mprotect/munmap shootdown:state=left,flush=later refcount:n=1/2/5,via=kworker \
	refcount:n=2,via=kworker,mm=private flush:n=1 flush:n=2,mm=shared/own,op=mprotect/madvise/munmap --trials 1 --iterations 400 -o "$tmp/remote"
# Lazy states want the other CPU idle, which other work on the machine may keep it from being: two rows at most, and it says so.
given_up=$(sed -n 's/^activemm: \([0-9]*\) trials\{0,1\} stayed invalid.*/\1/p' "$tmp/err")
check "stopper, interposed, shootdown, refcount and flush keep their claims (${given_up:-0} trials stayed invalid)" \
	[ "$status" = "$((${given_up:-0} > 0))" -a "${given_up:-0}" -le 2 ]
check "  the IPIs that the other CPU's row of /proc/interrupts has are those that its tracepoint has" json "$tmp/remote/trials.jsonl" \
	"all(abs(x['figures']['tlb-interrupts']['value'] - sum(x['remote']['counters'][c]['per_round_trip'] for c in ('tlb-shootdowns', 'tlb-shootdowns-left')) - (x['params']['state'] == 'lazy' and x['params']['op'] == 'munmap' and 'finding' not in x)) < 0.03 for x in t if x['scenario'] == 'shootdown' and x['valid'])"
check "  a CPU that left is asked as often as this kernel's form says, which is named" json "$tmp/remote/trials.jsonl" \
	"all(x['claim']['tlb_ipis']['min'] - 0.05 <= x['counters']['tlb-ipis']['per_round_trip'] <= x['claim']['tlb_ipis']['max'] + 0.1 and (x['claim']['tlb_ipis']['max'] == 0 or 'left' in x['finding']) for x in t if x['params'].get('state') == 'left' and 'flush' not in x['params'] and x['valid'])"
check "  flushes in one mm ask the other CPU, those with an mm each nobody, here and there" json "$tmp/remote/trials.jsonl" \
	"all((x['counters']['tlb-ipis']['per_round_trip'] > 0.9) <= (x['params']['mm'] == 'shared' and x['params']['n'] > 1) and (x['params']['op'] != 'madvise' or 'finding' in x or x['params']['n'] == 1 or x['params']['mm'] == 'own' or x['counters']['tlb-ipis']['per_round_trip'] > 0.9) and (x['params']['mm'] == 'shared' or x['figures']['tlb-interrupts'].get('value', 0) < 0.1) for x in t if x['scenario'] == 'flush' and x['valid'])"
check "  each CPU's share of refcount's round trips adds up" json "$tmp/remote/trials.jsonl" \
	"all(abs(x['figures']['round-trips']['value'] / x['figures']['round-trips-per-cpu']['value'] - min(x['params']['n'], $(nproc))) < 0.001 for x in t if x['scenario'] == 'refcount')"

# Throughput, by the kernel's own counts: system calls made and flushes asked on the measured CPU, IPIs that reached the others.
flushes() { # MM
	grep -E 'CPU0|TLB:' /proc/interrupts >"$tmp/tlb"
	"$perf" stat -a -C "$cpu" -x, -e syscalls:sys_enter_madvise -e tlb:tlb_flush --filter 'reason == 4' -o "$tmp/stat" \
		"$activemm" run "flush:n=2,mm=$1" --cpu "$cpu" --trials 1 --iterations 20000 -o "$tmp/flush-$1" >"$tmp/out" 2>"$tmp/err"
	grep TLB: /proc/interrupts >>"$tmp/tlb"
}
flushes_agree() { # MM
	python3 - "$tmp/stat" "$tmp/flush-$1/trials.jsonl" "$tmp/tlb" "$cpu" "$1" <<'PY'
import json, sys
perf = {f[2]: int(f[0]) for f in (l.split(",") for l in open(sys.argv[1])) if f[0].isdigit()}
trials, (head, *tlb) = [json.loads(l) for l in open(sys.argv[2])], [l.split() for l in open(sys.argv[3])]
here, shared = head.index("CPU" + sys.argv[4]), sys.argv[5] == "shared"
calls, asked = perf["syscalls:sys_enter_madvise"], perf["tlb:tlb_flush"]
arrived = sum(int(b) - int(a) for i, (a, b) in enumerate(zip(tlb[0][1:len(head) + 1], tlb[1][1:])) if i != here) if tlb else None
ours, t = sum(t["round_trips"]["total"] for t in trials), trials[-1]
per, came = t["counters"]["tlb-ipis"]["per_round_trip"], t["figures"]["tlb-interrupts"].get("value")
print(f"    madvise {calls}, ours {ours}; asked {asked}, ours {per:.3f} per operation; arrived {arrived}, ours {came} per operation")
assert t["valid"] and ours <= calls <= ours + 4000, "operations"
assert abs(asked / calls - shared) < 0.1 and abs(per - shared) < 0.1, "flushes asked"
assert came is None or abs(arrived / calls - came) < 0.1, "interrupts that arrived"
PY
}
if [ -n "$perf" ] && "$perf" stat -a -e syscalls:sys_enter_madvise true >/dev/null 2>&1; then
	for mm in shared own; do
		# Disturbed trials have operations that nobody is asked by: take a run without one.
		for _ in 1 2 3; do
			rm -rf "$tmp/flush-$mm"
			flushes $mm
			[ "$(wc -l <"$tmp/flush-$mm/trials.jsonl")" != 1 ] || break
		done
		if ! grep -q '"valid": *true' "$tmp/flush-$mm/trials.jsonl"; then
			skip "flush:mm=$mm against perf stat: other work on this machine keeps all its trials invalid"
			continue
		fi
		check "flush:mm=$mm: operations, what they ask and what arrives agree with perf stat of all CPUs" flushes_agree $mm
	done
else
	skip "flush against perf stat: it, or its tracepoint of madvise, is not there"
fi

# On the way out of idle: only where the kernel's events show it.
for cpu2 in "$cpu" $(taskset -pc $$ | sed 's/.*: //' | tr ',-' '\n' | grep -vx "$cpu"); do
	run run stale stale:mm=other exit:borrow=lazy/none --cpu "$cpu2" --time 2 --iterations 80 -o "$tmp/idle-$cpu2"
	grep -q 'tracepoints miss' "$tmp/err" || break
done
if grep -q 'tracepoints miss' "$tmp/err"; then
	skip "stale and exit: this kernel's tracepoints miss the way out of idle"
else
	check "stale: one flushing load on the way back where the own mm was changed, none elsewhere" json "$tmp/idle-$cpu2/trials.jsonl" \
		"all(abs(x['counters']['cr3-flushes']['per_round_trip'] - (x['params']['mm'] == 'own')) < 0.1 for x in t if x['scenario'] == 'stale' and x['valid'])"
	check "exit: the zombie costs this CPU three loads; where BPF sees it, mm_users is 0 and mm_count is not" json "$tmp/idle-$cpu2/trials.jsonl" \
		"all(abs(x['counters']['cr3-loads']['per_round_trip'] - 3 * (x['params']['borrow'] == 'lazy')) < 0.2 and ('value' not in x['figures']['zombies-seen'] or x['figures']['zombie-mm-users']['value'] < 0.2 and x['figures']['zombie-mm-count']['value'] > 0.9) for x in t if x['scenario'] == 'exit' and x['valid'])"
fi
run run shootdown:cpus=8191 shootdown:flush=later flush:n=8190 base --trials 1 --iterations 400 -o "$tmp/none"
check "  more of them than there are, and later flushes of a CPU that stays, are skipped with the reason" \
	grep -q "skipped shootdown:.*cpus=8191: it needs 8192 CPUs and only [0-9]* are allowed" "$tmp/err"
check "  so are more flushing tasks" grep -q "skipped flush: it needs 8190 CPUs and only [0-9]* are allowed" "$tmp/err"
check "  and named" grep -q "skipped shootdown:.*flush=later: flush=later is of state=left only" "$tmp/err"

# Someone moves the measured task.
other=$(taskset -pc $$ | sed 's/.*: //' | tr ',-' '\n' | grep -vx "$cpu" | head -n 1)
"$activemm" run thread --cpu "$cpu" --trials 1 --iterations 300000 -o "$tmp/moved" >"$tmp/out" 2>"$tmp/err" &
pid=$!
while kill -0 "$pid" 2>/dev/null && ! [ -s "$tmp/moved/trials.jsonl" ]; do
	for child in $(pgrep -P "$pid"); do taskset -apc "$other" "$child" >/dev/null 2>&1; done
	sleep 0.3
done
kill "$pid" 2>/dev/null
wait "$pid"
check "a task that is moved away makes the trial invalid" json "$tmp/moved/trials.jsonl" \
	"any(v['what'] == 'migration' for x in t for v in x['violations'])"
true
