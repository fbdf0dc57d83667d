// SPDX-License-Identifier: GPL-2.0-or-later
// Steps through a story of switches: explain.html holds it as JSON. One picture per step: each CPU with the task that runs and the mm in its
// CR3, every mm with its counts, and a line from task to mm: solid where it is the task's own, dashed where it is borrowed.
"use strict";
(function () {
	const story = JSON.parse(document.getElementById("story").textContent);
	const stage = document.getElementById("stage");
	const rows = document.querySelectorAll("#steps tbody tr");
	const names = Object.keys(story.mms);
	const cpus = story.remote ? [story.cpu, story.remote.cpu] : [story.cpu];
	const colours = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442"];
	const svgns = "http://www.w3.org/2000/svg";
	let at = 0;

	function element(parent, name, attributes, text) {
		const svg = parent.namespaceURI === svgns || name === "svg";
		const e = svg ? document.createElementNS(svgns, name) : document.createElement(name);
		for (const key in attributes)
			e.setAttribute(key, attributes[key]);
		if (text !== undefined)
			e.textContent = text;
		parent.appendChild(e);
		return e;
	}

	function colour(mm) {
		return mm === "init_mm" ? "#888" : colours[names.filter((n) => n !== "init_mm").indexOf(mm) % colours.length];
	}

	// What holds after step @n: by CPU who runs and what CR3 holds, by mm its counts.
	function state(n) {
		const now = {cpu: {}, mm: {}};
		for (const name of names)
			now.mm[name] = {users: null, count: null};
		for (let i = 0; i <= n; i++) {
			const s = story.steps[i], task = s.kind === "switch" ? s.next : s.task;
			now.cpu[s.cpu] = {task: task, loaded: s.loaded, cr3: s.cr3};
			for (const t of s.kind === "switch" ? [s.prev, s.next] : [s.task])
				if (t.active_mm && t.mm_count !== null)
					now.mm[t.active_mm] = {users: t.mm_users, count: t.mm_count};
		}
		return now;
	}

	function box(svg, x, y, w, h, lines, stroke, dashed) {
		element(svg, "rect", {x: x, y: y, width: w, height: h, rx: 6, class: "box", stroke: stroke,
			"stroke-width": 2, "stroke-dasharray": dashed ? "6 4" : "none"});
		lines.forEach((line, i) => element(svg, "text", {x: x + w / 2, y: y + 22 + 19 * i,
			"text-anchor": "middle", class: i ? "detail" : "name"}, line));
	}

	function draw() {
		const step = story.steps[at], now = state(at);
		const height = Math.max(cpus.length * 150, names.length * 84) + 10;
		const where = {};
		scene.replaceChildren();
		scene.setAttribute("viewBox", "0 0 720 " + height);
		names.forEach((name, i) => {
			const m = now.mm[name], y = 10 + i * 84;
			where[name] = y + 32;
			box(scene, 500, y, 210, 64, ["mm " + name, m.count === null ? story.mms[name].tasks :
				"mm_users " + m.users + "  mm_count " + m.count], colour(name), m.users === 0);
		});
		cpus.forEach((cpu, i) => {
			const c = now.cpu[cpu], y = 10 + i * 150;
			if (!c) {
				box(scene, 10, y, 230, 44, ["CPU " + cpu], "#888", true);
				return;
			}
			const t = c.task, borrowed = t.mm === null;
			box(scene, 10, y, 230, 64, [t.comm + " " + t.pid, "CPU " + cpu + ", mm " + (t.mm || "none")],
				t.active_mm ? colour(t.active_mm) : "#888", borrowed);
			box(scene, 10, y + 78, 230, 44, ["CR3: " + (c.loaded || "?") + ", " +
				(step.cpu === cpu ? {none: "no load", kept: "loaded, TLB kept", flushed: "loaded, TLB flushed",
					unknown: "not seen"}[c.cr3] : "as before")], c.loaded ? colour(c.loaded) : "#888", false);
			if (t.active_mm) {
				element(scene, "line", {x1: 242, y1: y + 32, x2: 498, y2: where[t.active_mm], stroke: colour(t.active_mm),
					"stroke-width": 3, "stroke-dasharray": borrowed ? "8 6" : "none"});
				element(scene, "text", {x: 370, y: (y + 32 + where[t.active_mm]) / 2 - 8, "text-anchor": "middle",
					class: "detail"}, borrowed ? "active_mm, borrowed" : "mm = active_mm");
			}
			if (c.loaded)
				element(scene, "line", {x1: 242, y1: y + 100, x2: 498, y2: where[c.loaded], stroke: colour(c.loaded),
					"stroke-width": 1});
		});
		words.textContent = step.us.toFixed(2) + " us, CPU " + step.cpu + ": " + step.what;
		place.textContent = "step " + (at + 1) + " of " + story.steps.length;
		slider.value = at;
		rows.forEach((row, i) => row.classList.toggle("now", i === at));
	}

	function go(n) {
		at = Math.max(0, Math.min(story.steps.length - 1, n));
		draw();
	}

	if (!story.steps.length)
		return;
	document.getElementById("steps").classList.add("live");
	const controls = element(stage, "p", {class: "controls"});
	element(controls, "button", {id: "back", type: "button"}, "\u25c0 back").onclick = () => go(at - 1);
	element(controls, "button", {id: "forward", type: "button"}, "forward \u25b6").onclick = () => go(at + 1);
	const slider = element(controls, "input", {type: "range", min: 0, max: story.steps.length - 1, value: 0,
		"aria-label": "step"});
	slider.oninput = () => go(Number(slider.value));
	const place = element(controls, "span", {id: "place"});
	const words = element(stage, "p", {id: "words", "aria-live": "polite"});
	const scene = element(stage, "svg", {id: "scene", role: "img", "aria-labelledby": "words"});
	rows.forEach((row, i) => { row.onclick = () => go(i); });
	document.addEventListener("keydown", (e) => {
		if (e.target.tagName === "INPUT" && e.target.type !== "range")
			return;
		if (e.key === "ArrowRight" || e.key === "ArrowLeft") {
			go(at + (e.key === "ArrowRight" ? 1 : -1));
			e.preventDefault();
		}
	});
	draw();
})();
