"use strict";
// The table of spaces can be sorted by each column and searched. Nothing else of the page needs a script.
for (const table of document.querySelectorAll("table.searched")) {
  const body = table.tBodies[0];
  const lines = Array.from(body.rows);
  const count = (number) => number.toLocaleString("en");

  const find = table.closest("section").querySelector(".find");
  const input = find.querySelector("input");
  const output = find.querySelector("output");
  const texts = lines.map((line) => line.textContent.toLowerCase());
  find.hidden = false;
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    lines.forEach((line, place) => {
      line.hidden = !words.every((word) => texts[place].includes(word));
      found += line.hidden ? 0 : 1;
    });
    output.textContent = words.length ? `${count(found)} of ${count(lines.length)}` : "";
  });

  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  const headings = Array.from(table.tHead.rows[0].cells);
  headings.forEach((heading, column) => {
    const figures = heading.classList.contains("n");
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = heading.textContent;
    heading.replaceChildren(button);
    button.addEventListener("click", () => {
      const before = heading.getAttribute("aria-sort");
      // Of figures the largest are what is looked for.
      const order = before ? (before === "ascending" ? "descending" : "ascending") : figures ? "descending" : "ascending";
      headings.forEach((other) => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", order);
      const value = (line) => {
        const text = line.cells[column].textContent;
        return figures ? Number(text.replace(/\D/g, "")) : text;
      };
      const keyed = lines.map((line) => [value(line), line]);
      const sign = order === "ascending" ? 1 : -1;
      keyed.sort(([a], [b]) => sign * (figures ? a - b : collator.compare(a, b)));
      body.append(...keyed.map(([, line]) => line));
    });
  });
}
