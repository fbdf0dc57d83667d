// SPDX-License-Identifier: GPL-2.0-or-later
// Tables of a page: a click on a column's head sorts by it, long ones get a field that filters. Without script they are as written.
"use strict";
(function () {
	// "2.31 us [..]", "12,5 %", "-": the first number counts, in its unit; what has none is sorted as text, after the numbers.
	const units = {ns: 1, us: 1e3, "\u00b5s": 1e3, ms: 1e6, s: 1e9};

	function value(row, column) {
		const text = row.cells[column] ? row.cells[column].textContent.trim() : "";
		const m = /^([-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?)\s*([a-z\u00b5]+)?/i.exec(text);
		return {text: text, number: m ? Number(m[1]) * (units[m[2]] || 1) : NaN};
	}

	function compare(a, b) {
		if (isNaN(a.number) !== isNaN(b.number))
			return isNaN(a.number) ? 1 : -1;
		return isNaN(a.number) ? a.text.localeCompare(b.text) : a.number - b.number;
	}

	function sort(table, head, column) {
		const down = head.getAttribute("aria-sort") === "ascending";
		for (const other of head.parentNode.cells)
			other.removeAttribute("aria-sort");
		head.setAttribute("aria-sort", down ? "descending" : "ascending");
		for (const body of table.tBodies) {
			const rows = Array.from(body.rows).filter((r) => r.cells.length && r.cells[0].tagName === "TD");
			const keyed = rows.map((r) => [value(r, column), r]);
			keyed.sort((x, y) => (down ? -1 : 1) * compare(x[0], y[0]));
			keyed.forEach((k) => body.appendChild(k[1]));
		}
	}

	function filter(table, text) {
		const words = text.toLowerCase().split(/\s+/).filter((w) => w);
		for (const body of table.tBodies)
			for (const row of body.rows)
				row.hidden = row.cells.length > 0 && row.cells[0].tagName === "TD" &&
					!words.every((w) => row.textContent.toLowerCase().includes(w));
	}

	for (const table of document.querySelectorAll("table:not(#steps)")) {
		const heads = table.querySelectorAll("tr:first-child > th");
		const rows = table.querySelectorAll("tbody tr").length;
		if (heads.length < 2 || rows < 3)
			continue;
		heads.forEach((head, column) => {
			head.classList.add("sortable");
			head.tabIndex = 0;
			head.onclick = () => sort(table, head, column);
			head.onkeydown = (e) => { if (e.key === "Enter") sort(table, head, column); };
		});
		if (rows < 9)
			continue;
		const field = document.createElement("input");
		field.className = "filter";
		field.type = "search";
		field.placeholder = "filter: words that a row must have";
		field.setAttribute("aria-label", "filter the table below");
		field.oninput = () => filter(table, field.value);
		const outer = table.closest(".wide") || table;
		outer.parentNode.insertBefore(field, outer);
	}
})();
