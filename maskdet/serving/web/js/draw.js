// Draws a picture with its boxes; sharp, since it works in the canvas's own pixels. Nothing hides a face.

import { labelName } from "./i18n.js";
import { placeCaptions, spellOut } from "./placement.js";
import { labelStyle } from "./style.js";

const FONTS = 'system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif';
/** CSS pixels of a caption's text with a name, and without. */
const TEXT = { named: 13, short: 10.5 };
const WIDEST_LINE = 2.5;
/** Largest share of a face's shorter side that the line takes on each side. */
const OF_THE_FACE = 1 / 14;

/**
 * Draw `picture` over the canvas, but for a strip of `below` pixels, and `faces` on it.
 * size: {width, height} that boxes refer to; ratio: device pixels in one CSS pixel; chosen: a face to highlight.
 * Returns whether each face has a caption with its name.
 */
export function drawFaces(canvas, picture, faces, { size, ratio, model, chosen = null, below = 0 }) {
  const context = canvas.getContext("2d");
  const room = { width: canvas.width, height: canvas.height - below };
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, room.width, room.height);
  const scale = [room.width / size.width, room.height / size.height];
  const boxes = faces.map((face) => face.box.map((edge, axis) => edge * scale[axis % 2]));
  const unit = ratio * Math.min(1.6, Math.max(1, room.width / ratio / 640));
  // Best first in the list, and last drawn, so that the best are on top.
  for (let index = faces.length - 1; index >= 0; index -= 1) {
    const stressed = faces[index] === chosen;
    drawBox(context, boxes[index], labelStyle(model, faces[index].label), { unit, ratio, stressed, faded: chosen && !stressed });
  }
  return drawPlates(context, boxes, faces, { room, unit, model, chosen });
}

/** Draw a box along the inner side of its edge, in a line that tells labels apart even without colour. */
export function drawLine(context, [x1, y1, x2, y2], style, line) {
  const frame = [x1 + line / 2, y1 + line / 2, Math.max(0, x2 - x1 - line), Math.max(0, y2 - y1 - line)];
  context.lineWidth = line;
  context.setLineDash([]);
  context.strokeStyle = style.dash.length ? style.ink : style.colour;
  context.strokeRect(...frame);
  if (!style.dash.length) return;
  context.strokeStyle = style.colour;
  context.setLineDash(style.dash.map((length) => length * line));
  context.strokeRect(...frame);
  context.setLineDash([]);
}

/** Font of that size in device pixels. */
export function fontOf(pixels) {
  return `600 ${pixels}px ${FONTS}`;
}

function drawBox(context, box, style, { unit, ratio, stressed, faded }) {
  // Whole pixels: otherwise the screen would blur the edges.
  const whole = box.map(Math.round);
  const side = Math.min(whole[2] - whole[0], whole[3] - whole[1]);
  const thin = Math.max(0.75 * ratio, Math.min(WIDEST_LINE * unit, side * OF_THE_FACE));
  context.save();
  context.globalAlpha = faded ? 0.55 : 1;
  drawLine(context, whole, style, Math.max(1, Math.round(stressed ? 1.6 * thin : thin)));
  context.restore();
}

function drawPlates(context, boxes, faces, { room, unit, model, chosen }) {
  const textOf = (index, named) => captionOf(faces[index], named);
  const sizeOf = (index, named) => plateSize(context, textOf(index, named), textSize(named, unit));
  const captions = placeCaptions(boxes, room, sizeOf);
  const at = faces.indexOf(chosen);
  const plates = at < 0 ? captions.plates : spellOut(captions, at, boxes, room, sizeOf);
  for (const { index, named, rectangle } of plates) {
    drawPlate(context, rectangle, textOf(index, named), labelStyle(model, faces[index].label), textSize(named, unit));
  }
  return captions.named;
}

function captionOf(face, named) {
  // Faces that a person decided have no score; those in dispute are marked.
  const words = [face.disputed ? "?" : "", named || face.score === null ? labelName(face.label) : ""];
  if (face.score !== null) words.push(face.score.toFixed(2));
  return words.filter(Boolean).join(" ");
}

function textSize(named, unit) {
  return (named ? TEXT.named : TEXT.short) * unit;
}

function plateSize(context, text, pixels) {
  context.font = fontOf(pixels);
  return [Math.ceil(context.measureText(text).width + 0.7 * pixels), Math.ceil(1.45 * pixels)];
}

function drawPlate(context, [x1, y1, x2, y2], text, style, pixels) {
  context.fillStyle = style.colour;
  context.beginPath();
  context.roundRect(x1, y1, x2 - x1, y2 - y1, 0.25 * pixels);
  context.fill();
  context.font = fontOf(pixels);
  context.textBaseline = "middle";
  context.fillStyle = style.ink;
  context.fillText(text, x1 + 0.35 * pixels, (y1 + y2) / 2 + 0.06 * pixels);
}
