// Where captions go so that they hide no face, like detector/placement.py and detector/captions.py.
// Rectangles are [x1, y1, x2, y2] in the canvas's own pixels.

/** Faces: repeating a name more often is noise, and the legend does it better. */
const MOST_NAMED = 8;
/** Share of the picture that captions may hide: what lies between the faces may be other people. */
const MOST_OF_PICTURE = 0.08;
/** Share of the faces that must have room for a short caption; below it, captions are noise. */
const WORTH_IT = 0.5;
/** Share of its own box that a caption may hide where there is no room beside it. */
const MOST_OF_OWN_FACE = 0.08;

/**
 * Captions for faces, best first: with names beside all of them if there is ample room, else short ones beside
 * those that have room. boxes: of the faces; room: {width, height} of the picture; sizeOf(index, named): [width,
 * height] of a caption. Returns {named, plates: [{index, named, rectangle}]}.
 */
export function placeCaptions(boxes, room, sizeOf) {
  if (boxes.length <= MOST_NAMED) {
    const plates = placed(boxes, room, sizeOf, true);
    if (plates.length === boxes.length && ample(plates, room)) return { named: true, plates };
  }
  const plates = placed(boxes, room, sizeOf, false);
  const worthIt = plates.length >= WORTH_IT * boxes.length && ample(plates, room);
  return { named: false, plates: worthIt ? plates : [] };
}

/** The captions with that of one face in full; others make room for it. */
export function spellOut({ named, plates }, chosen, boxes, room, sizeOf) {
  const others = boxes.filter((_, index) => index !== chosen);
  const rectangle = place(sizeOf(chosen, true), boxes[chosen], room, others);
  if (named || !rectangle) return plates;
  const left = plates.filter((one) => one.index !== chosen && overlap(one.rectangle, rectangle) === 0);
  return [...left, { index: chosen, named: true, rectangle }];
}

function placed(boxes, room, sizeOf, named) {
  const plates = [];
  boxes.forEach((box, index) => {
    const others = boxes.filter((_, other) => other !== index);
    const keptFree = [...others, ...plates.map((one) => one.rectangle)];
    const rectangle = place(sizeOf(index, named), box, room, keptFree);
    if (rectangle) plates.push({ index, named, rectangle });
  });
  return plates;
}

/** The first place inside the picture that touches nothing of `keptFree`; null if there is none. */
function place(size, box, room, keptFree) {
  const spots = rectangles(size, box.map(Math.round), room);
  const fits = ([x1, y1, x2, y2]) => x1 >= 0 && y1 >= 0 && x2 <= room.width && y2 <= room.height;
  return spots.find((spot) => fits(spot) && keptFree.every((one) => overlap(spot, one) === 0)) ?? null;
}

/** Above the box, below it, beside it, and last inside, where that hides little of it. */
function rectangles([wide, high], [x1, y1, x2, y2], room) {
  const xs = [x1, x2 - wide, (x1 + x2 - wide) / 2].map((x) => limit(Math.round(x), room.width - wide));
  const ys = [y1, y2 - high].map((y) => limit(y, room.height - high));
  const levels = [y1 - high, y2].flatMap((y) => xs.map((x) => [x, y]));
  const sides = [x2, x1 - wide].flatMap((x) => ys.map((y) => [x, y]));
  const small = wide * high <= MOST_OF_OWN_FACE * (x2 - x1) * (y2 - y1);
  const within = small ? ys.flatMap((y) => xs.map((x) => [x, y])) : [];
  return [...levels, ...sides, ...within].map(([x, y]) => [x, y, x + wide, y + high]);
}

function ample(plates, room) {
  const hidden = plates.reduce((total, { rectangle: [x1, y1, x2, y2] }) => total + (x2 - x1) * (y2 - y1), 0);
  return hidden <= MOST_OF_PICTURE * room.width * room.height;
}

function overlap(a, b) {
  const wide = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const high = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  return Math.max(0, wide) * Math.max(0, high);
}

function limit(value, most) {
  return Math.max(0, Math.min(value, most));
}
