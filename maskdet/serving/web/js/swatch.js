// The line of a label, as it is drawn on the picture.

const NAMESPACE = "http://www.w3.org/2000/svg";
const LINE = 3;
const SIDE = 14;
/** As dark as a picture may be: the gaps of a line, white or black, show on it. */
const GROUND = { x: 0, y: 0, width: 22, height: 22, rx: 4, fill: "#39434a" };

/** An SVG of a small box in the line of a label. */
export function swatch(style) {
  const svg = element("svg", { class: "swatch", viewBox: "0 0 22 22", "aria-hidden": "true" });
  svg.append(element("rect", GROUND), frame(style.dash.length ? style.ink : style.colour));
  if (style.dash.length) svg.append(frame(style.colour, style.dash));
  return svg;
}

function frame(stroke, dash = []) {
  const at = (22 - SIDE) / 2;
  const shape = { x: at, y: at, width: SIDE, height: SIDE, fill: "none", stroke, "stroke-width": LINE };
  if (!dash.length) return element("rect", shape);
  // The pattern goes round a whole number of times, so that it meets itself.
  const period = dash.reduce((total, one) => total + one, 0);
  const pathLength = period * Math.round((4 * SIDE) / (period * LINE));
  return element("rect", { ...shape, pathLength, "stroke-dasharray": dash.join(" ") });
}

function element(name, values) {
  const made = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(values)) made.setAttribute(key, String(value));
  return made;
}
