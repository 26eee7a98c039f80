// A click on a column's name sorts its table: up, then down, then as it was.
const NUMBER = /^(-?(?:[\d,]*\.?\d+(?:e[-+]?\d+)?|inf))%?(?: ± .*)?$/;
const MISSING = ["", "-"];

// The number of a cell without its error; NaN where it is none.
function number(text) {
  const found = NUMBER.exec(text);
  return found ? Number(found[1].replaceAll(",", "").replace("inf", "Infinity")) : NaN;
}

// Numbers by size where most of a column are numbers, otherwise by letters; what has no value is last.
function sorted(rows, column, sign) {
  const text = row => row.cells[column].textContent.trim();
  const present = rows.map(text).filter(value => !MISSING.includes(value));
  const numeric = 2 * present.filter(value => !isNaN(number(value))).length >= present.length;
  const missing = row => numeric ? isNaN(number(text(row))) : MISSING.includes(text(row));
  const compare = numeric ? (a, b) => number(a) - number(b) : (a, b) => a.localeCompare(b);
  return rows.toSorted((a, b) => missing(a) - missing(b) || sign * compare(text(a), text(b)));
}

for (const table of document.querySelectorAll(".scroll:not(.samples) > table")) {
  const rows = [...table.tBodies[0].rows], heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const order = {ascending: "descending", descending: null}[head.getAttribute("aria-sort")];
      heads.forEach(other => other.removeAttribute("aria-sort"));
      if (order !== null) head.setAttribute("aria-sort", order ?? "ascending");
      table.tBodies[0].append(...(order === null ? rows : sorted(rows, column, order ? -1 : 1)));
    });
  });
}
