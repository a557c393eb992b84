// Files to save: the picture with its boxes, and the result as JSON.

import { drawFaces } from "./draw.js";
import { drawStrip, stripHeight } from "./legend.js";

/** Browsers refuse larger canvases; iOS is the strictest. */
const MOST_PIXELS = 16_000_000;
/** Pixels of the longer side to which a crowded picture is enlarged, and how many times at most. */
const READABLE_SIDE = 1600;
const MOST_ZOOM = 4;

/**
 * Save the picture with its boxes, at its own size, or larger where captions with names have no room; then it gets a
 * legend below. size: {width, height} that boxes refer to.
 */
export async function savePicture(bitmap, size, faces, name, model) {
  const canvas = document.createElement("canvas");
  const named = paint(canvas, bitmap, size, faces, model, zoomTo(bitmap));
  if (!named && faces.length) paint(canvas, bitmap, size, faces, model, zoomTo(bitmap, READABLE_SIDE), true);
  const blob = await new Promise((resolve) => {
    canvas.toBlob(resolve, "image/jpeg", 0.92);
  });
  save(blob, `${stem(name)}-maskdet.jpg`);
}

function zoomTo({ width, height }, side = 0) {
  const wanted = Math.max(1, Math.min(MOST_ZOOM, side / Math.max(width, height)));
  return Math.min(wanted, Math.sqrt(MOST_PIXELS / (width * height)));
}

function paint(canvas, bitmap, size, faces, model, zoom, legend = false) {
  const context = canvas.getContext("2d");
  const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.floor(side * zoom)));
  const ratio = Math.max(1, Math.max(width, height) / 1100);
  const text = Math.round(15 * ratio);
  const below = legend ? stripHeight(context, width, faces, model, text) : 0;
  Object.assign(canvas, { width, height: height + below });
  const named = drawFaces(canvas, bitmap, faces, { size, ratio, model, below });
  if (legend) drawStrip(context, below, faces, model, text);
  return named;
}

export function saveJson(value, name) {
  save(new Blob([`${jsonText(value)}\n`], { type: "application/json" }), `${stem(name)}-maskdet.json`);
}

/** JSON for people: indented, but a box on one line. */
export function jsonText(value) {
  const text = JSON.stringify(value, null, 2);
  return text.replace(/\[\s+([-\d.e,\s]+?)\s+\]/g, (_, numbers) => `[${numbers.replace(/\s+/g, " ")}]`);
}

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The browser has the file only once it has started writing it.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function stem(name) {
  return name.replace(/\.[^.]*$/, "") || "picture";
}
