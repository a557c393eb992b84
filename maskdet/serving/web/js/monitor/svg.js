// SVG elements. Colours come from classes: the page's policy forbids styles in attributes.

const NAMESPACE = "http://www.w3.org/2000/svg";

/** An element with attributes and children; text for a string. */
export function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) {
    made.setAttribute(key, typeof value === "number" ? String(Math.round(value * 100) / 100) : value);
  }
  made.append(...children);
  return made;
}

/** A drawing of so many pixels, described for those who cannot see it. */
export function drawing(width, height, label) {
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, height, role: "img", "aria-label": label });
}

/** A square of a colour, for a legend. */
export function key(tone) {
  const mark = svg("svg", { class: "key", viewBox: "0 0 14 14", "aria-hidden": "true" });
  mark.append(svg("rect", { class: `tone-${tone}`, width: 14, height: 14 }));
  return mark;
}
