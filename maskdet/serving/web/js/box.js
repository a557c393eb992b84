// Boxes as [x1, y1, x2, y2] in whole pixels inside a picture of `size` {width, height}.

/** Whole pixels, inside the picture, at least one pixel wide and high. */
export function rounded(box, { width, height }) {
  const [x1, y1] = [limit(Math.round(box[0]), 0, width - 1), limit(Math.round(box[1]), 0, height - 1)];
  return [x1, y1, limit(Math.round(box[2]), x1 + 1, width), limit(Math.round(box[3]), y1 + 1, height)];
}

/** The box moved as far as the picture's edges let it. */
export function movedBox([x1, y1, x2, y2], dx, dy, { width, height }) {
  const x = limit(dx, -x1, width - x2);
  const y = limit(dy, -y1, height - y2);
  return [x1 + x, y1 + y, x2 + x, y2 + y];
}

/** The box after `part` of it ("move", or a corner such as "se") was dragged; corners may change sides. */
export function draggedBox(box, part, dx, dy, size) {
  if (part === "move") return movedBox(box, dx, dy, size);
  const [x1, y1, x2, y2] = box;
  const xs = part.endsWith("w") ? [x1 + dx, x2] : [x1, x2 + dx];
  const ys = part.startsWith("n") ? [y1 + dy, y2] : [y1, y2 + dy];
  return rounded([Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)], size);
}

/** An initial box in the middle. */
export function newBox(size) {
  const half = Math.max(1, Math.min(size.width, size.height) / 8);
  const [x, y] = [size.width / 2, size.height / 2];
  return rounded([x - half, y - half, x + half, y + half], size);
}

function limit(value, low, high) {
  return Math.min(Math.max(value, low), high);
}
