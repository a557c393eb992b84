// Number and name beside each box being corrected, placed as on the drawing: no plate hides a face or another plate.

import { labelName } from "./i18n.js";
import { placeCaptions, spellOut } from "./placement.js";

/**
 * Lay out the rows' plates (`tag`) over `area`, which shows a picture of `size` {width, height}: with names if there
 * is ample room for all, else numbers where there is room. That of the row `pointed` has a name in any case.
 */
export function layPlates(area, rows, size, pointed) {
  const room = { width: area.clientWidth, height: area.clientHeight };
  const scale = [room.width / size.width, room.height / size.height];
  const boxes = rows.map(({ box }) => box.map((edge, axis) => edge * scale[axis % 2]));
  const sizes = { named: measured(rows, true), short: measured(rows, false) };
  const sizeOf = (index, named) => sizes[named ? "named" : "short"][index];
  const captions = placeCaptions(boxes, room, sizeOf);
  const at = rows.indexOf(pointed);
  const plates = at < 0 ? captions.plates : spellOut(captions, at, boxes, room, sizeOf);
  for (const { tag } of rows) tag.hidden = true;
  for (const { index, named, rectangle } of plates) show(rows, index, named, rectangle);
}

/** [width, height] of each plate; first all are written and then all are read, which costs one layout only. */
function measured(rows, named) {
  rows.forEach((row, index) => write(row, index, named));
  return rows.map(({ tag }) => [tag.offsetWidth + 1, tag.offsetHeight]);
}

function show(rows, index, named, [left, top]) {
  write(rows[index], index, named);
  rows[index].tag.style.left = `${left}px`;
  rows[index].tag.style.top = `${top}px`;
}

function write({ tag, label }, index, named) {
  tag.hidden = false;
  tag.classList.toggle("short", !named);
  tag.textContent = named ? `${index + 1} ${labelName(label)}` : String(index + 1);
}
