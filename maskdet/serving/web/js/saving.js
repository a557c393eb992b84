// Files for a person to keep: the picture with its boxes, and the answer as JSON.

import { drawFaces } from "./draw.js";

/** Browsers refuse larger canvases; iOS is the strictest. */
const MOST_PIXELS = 16_000_000;

/** Save the picture at its own size, boxes drawn. */
export async function savePicture(bitmap, faces, name, { model, caption }) {
  const zoom = Math.min(1, Math.sqrt(MOST_PIXELS / (bitmap.width * bitmap.height)));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.floor(bitmap.width * zoom));
  canvas.height = Math.max(1, Math.floor(bitmap.height * zoom));
  const ratio = Math.max(1, Math.max(canvas.width, canvas.height) / 1100);
  drawFaces(canvas, bitmap, faces, { size: bitmap, ratio, model, caption });
  const blob = await new Promise((resolve) => {
    canvas.toBlob(resolve, "image/jpeg", 0.92);
  });
  save(blob, `${stem(name)}-maskdet.jpg`);
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
  // The browser has the file only once it has begun to write it.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function stem(name) {
  return name.replace(/\.[^.]*$/, "") || "picture";
}
