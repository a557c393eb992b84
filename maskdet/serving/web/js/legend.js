// The legend: what each line means and how many there are, below the picture on the page and in saved pictures.

import { drawLine, fontOf } from "./draw.js";
import { labelName } from "./i18n.js";
import { labelStyle, tally } from "./style.js";
import { swatch } from "./swatch.js";

const GROUND = "#181e22";
const INK = "#f0f4f6";

/** Fill a list of the page. */
export function showLegend(list, faces, model) {
  const entries = model ? tally(faces, model) : [];
  list.hidden = entries.length === 0;
  list.replaceChildren(...entries.map((entry) => item(entry, model)));
}

/** Height in pixels of the legend in a strip of that width, with text of size `pixels`. */
export function stripHeight(context, width, faces, model, pixels) {
  return Math.round(1.8 * pixels) * rowsOf(context, width, faces, model, pixels).length + Math.round(pixels / 2);
}

/** Draw the legend over the lowest `height` pixels of the canvas. */
export function drawStrip(context, height, faces, model, pixels) {
  const { width } = context.canvas;
  const top = context.canvas.height - height;
  context.fillStyle = GROUND;
  context.fillRect(0, top, width, height);
  const step = Math.round(1.8 * pixels);
  rowsOf(context, width, faces, model, pixels).forEach((row, number) => {
    let x = pixels;
    const middle = top + pixels / 4 + (number + 0.5) * step;
    for (const entry of row) {
      drawEntry(context, entry, x, middle, pixels);
      x += entry.width;
    }
  });
}

function drawEntry(context, { text, style }, x, middle, pixels) {
  const frame = [x, middle - 0.5 * pixels, x + 1.3 * pixels, middle + 0.5 * pixels].map(Math.round);
  drawLine(context, frame, style, Math.max(2, Math.round(pixels / 7)));
  context.font = fontOf(pixels);
  context.textBaseline = "middle";
  context.fillStyle = INK;
  context.fillText(text, x + 1.9 * pixels, middle + 0.06 * pixels);
}

/** The entries in rows no wider than the strip, if possible. */
function rowsOf(context, width, faces, model, pixels) {
  context.font = fontOf(pixels);
  const rows = [[]];
  let left = width - pixels;
  for (const { label, count } of tally(faces, model)) {
    const text = `${labelName(label)}  ${count}`;
    const entry = { text, style: labelStyle(model, label), width: context.measureText(text).width + 3.2 * pixels };
    if (entry.width > left && rows.at(-1).length) {
      rows.push([]);
      left = width - pixels;
    }
    rows.at(-1).push(entry);
    left -= entry.width;
  }
  return rows;
}

function item({ label, count }, model) {
  const row = document.createElement("li");
  const number = document.createElement("b");
  number.textContent = String(count);
  row.append(swatch(labelStyle(model, label)), labelName(label), " ", number);
  return row;
}
