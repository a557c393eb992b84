// Draws a picture with its boxes; sharp, since it works in the canvas's own pixels.

import { labelName } from "./i18n.js";

// Labels can be told apart without their colours.
const DASHES = [[], [3, 1.6], [1, 1.3], [4, 1.4, 1, 1.4]];
const PLATE_WEIGHT = 4;

/** What the plate of a face says. */
export function caption(face) {
  return `${labelName(face.label)} ${face.score.toFixed(2)}`;
}

/** How a label is drawn: its colour, the ink that reads on it, and its line. */
export function labelStyle(model, label) {
  const index = Math.max(0, model.labels.indexOf(label));
  const colour = model.colours[index] ?? "#5e6472";
  return { colour, ink: inkOn(colour), dash: DASHES[index % DASHES.length] };
}

/**
 * Draw `picture` over the whole canvas and `faces` on it.
 * ratio: device pixels in one CSS pixel; caption(face): the text of its plate; chosen: a face to stress.
 */
export function drawFaces(canvas, picture, faces, { size, ratio, model, caption, chosen = null }) {
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  const scale = [canvas.width / size.width, canvas.height / size.height];
  const boxes = faces.map((face) => face.box.map((edge, axis) => edge * scale[axis % 2]));
  const unit = ratio * Math.min(1.6, Math.max(1, canvas.width / ratio / 640));
  boxes.forEach((box, index) => {
    const stressed = faces[index] === chosen;
    drawBox(context, box, labelStyle(model, faces[index].label), unit, stressed, chosen !== null);
  });
  drawPlates(context, boxes, faces, { unit, model, caption });
}

function drawBox(context, box, style, unit, stressed, other) {
  // Whole pixels, and half ones for an odd line: else the screen would smear its edges.
  const line = Math.round(unit * (stressed ? 4.5 : 2.5));
  const [x1, y1, x2, y2] = box.map((edge) => Math.round(edge) + (line % 2) / 2);
  const frame = [x1, y1, x2 - x1, y2 - y1];
  context.save();
  context.globalAlpha = other && !stressed ? 0.55 : 1;
  // A thin rim keeps the colour readable on any ground.
  context.lineWidth = line + 2 * Math.round(unit * 0.75);
  context.strokeStyle = "rgba(255, 255, 255, .75)";
  context.strokeRect(...frame);
  context.lineWidth = line;
  context.strokeStyle = style.colour;
  context.setLineDash(style.dash.map((length) => length * line));
  context.strokeRect(...frame);
  context.restore();
}

function drawPlates(context, boxes, faces, { unit, model, caption }) {
  const taken = [];
  const pad = 5 * unit;
  const height = 20 * unit;
  context.font = `600 ${13 * unit}px system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif`;
  context.textBaseline = "middle";
  boxes.forEach((box, index) => {
    const text = caption(faces[index]);
    const width = context.measureText(text).width + 2 * pad;
    const [x, y] = place([width, height], box, boxes, taken, context.canvas);
    const style = labelStyle(model, faces[index].label);
    taken.push([x, y, x + width, y + height]);
    context.fillStyle = style.colour;
    context.beginPath();
    context.roundRect(x, y, width, height, 4 * unit);
    context.fill();
    context.fillStyle = style.ink;
    context.fillText(text, x + pad, y + height / 2 + unit);
  });
}

/** Above the box, below it or inside: the first place that hides least of other faces and plates. */
function place([width, height], [x1, y1, x2, y2], boxes, taken, canvas) {
  const spots = [y1 - height, y2, y1].flatMap((y) => [x1, x2 - width].map((x) => [x, y]));
  const costs = spots.map(([x, y]) => {
    const left = Math.max(0, Math.min(x, canvas.width - width));
    const upper = Math.max(0, Math.min(y, canvas.height - height));
    const plate = [left, upper, left + width, upper + height];
    const hidden = sum(boxes.map((box) => overlap(plate, box)));
    return { spot: [left, upper], cost: hidden + PLATE_WEIGHT * sum(taken.map((one) => overlap(plate, one))) };
  });
  return costs.reduce((best, one) => (one.cost < best.cost ? one : best)).spot;
}

function overlap(a, b) {
  const wide = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const high = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  return Math.max(0, wide) * Math.max(0, high);
}

function sum(numbers) {
  return numbers.reduce((total, one) => total + one, 0);
}

/** Black or white, whichever has more contrast (relative luminance as in WCAG 2.2). */
function inkOn(colour) {
  const channels = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255);
  const [red, green, blue] = channels.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  const light = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return 1.05 / (light + 0.05) >= (light + 0.05) / 0.05 ? "#ffffff" : "#000000";
}
