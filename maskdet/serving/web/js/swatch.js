// The line of a label, as it is drawn on the picture.

const NAMESPACE = "http://www.w3.org/2000/svg";
const LINE = 2.5;
const SIDE = 16;
/** As a picture would be: the gaps of a line, white or black, show on it. */
const GROUND = "#69757d";

/** An SVG of a small box in the line of a label. */
export function swatch(style) {
  const svg = document.createElementNS(NAMESPACE, "svg");
  svg.setAttribute("class", "swatch");
  svg.setAttribute("viewBox", "0 0 22 22");
  svg.setAttribute("aria-hidden", "true");
  svg.append(frame(style.dash.length ? style.ink : style.colour, [], GROUND));
  if (style.dash.length) svg.append(frame(style.colour, style.dash));
  return svg;
}

function frame(stroke, dash, fill = "none") {
  const rectangle = document.createElementNS(NAMESPACE, "rect");
  const shape = { x: 3, y: 3, width: SIDE, height: SIDE, fill, stroke, "stroke-width": LINE };
  for (const [name, value] of Object.entries(shape)) rectangle.setAttribute(name, String(value));
  if (dash.length) {
    // The pattern goes round a whole number of times, so that it meets itself.
    const period = dash.reduce((total, one) => total + one, 0);
    rectangle.setAttribute("pathLength", String(period * Math.round((4 * SIDE) / (period * LINE))));
    rectangle.setAttribute("stroke-dasharray", dash.join(" "));
  }
  return rectangle;
}
