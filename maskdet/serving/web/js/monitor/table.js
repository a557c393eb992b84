// Tables: the same figures for those who read them.

/** columns: [{head, number}]; rows: cells, each a text or an element. */
export function table(caption, columns, rows) {
  const made = document.createElement("table");
  const title = document.createElement("caption");
  title.className = "hidden";
  title.textContent = caption;
  const head = document.createElement("thead");
  head.append(line(columns.map(({ head: text, number }) => cell("th", text, number, "col"))));
  const body = document.createElement("tbody");
  body.append(...rows.map((cells) => line(cells.map((value, place) => cellOf(value, place, columns)))));
  made.append(title, head, body);
  return made;
}

function cellOf(value, place, columns) {
  return place === 0 ? cell("th", value, false, "row") : cell("td", value, columns[place].number);
}

function cell(name, content, number, scope = "") {
  const made = document.createElement(name);
  if (number) made.className = "number";
  if (scope) made.scope = scope;
  made.append(content);
  return made;
}

function line(cells) {
  const made = document.createElement("tr");
  made.append(...cells);
  return made;
}
