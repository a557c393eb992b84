// The row of small pictures to choose from.

import { mark } from "./results.js";

const WIDTH = 104;
const HEIGHT = 78;
/** CSS pixels of the neighbour that are shown too: they tell that there is more. */
const PEEK = 28;

export class Strip {
  constructor(list, onPick) {
    this.list = list;
    this.onPick = onPick;
    this.items = new Map();
    this.current = null;
  }

  /** viewOf(picture) returns its view, or null. */
  show(pictures, current, viewOf) {
    this.list.hidden = pictures.length < 2;
    this.drop(new Set(pictures.map((picture) => picture.id)));
    for (const picture of pictures) {
      // A picture keeps its button: a press that ended on another one would be no click.
      if (!this.items.has(picture.id)) this.add(picture);
      update(this.items.get(picture.id).firstChild, picture, picture === current, viewOf(picture));
    }
    if (this.current !== current) this.reveal(this.items.get(current?.id));
    this.current = current;
  }

  /** Only this row is scrolled: scrollIntoView() would move the page too. */
  reveal(item) {
    if (!item) return;
    const [row, own] = [this.list, item].map((element) => element.getBoundingClientRect());
    const early = Math.min(0, own.left - PEEK - row.left);
    const late = Math.max(0, own.right + PEEK - row.right);
    if (early || late) this.list.scrollTo({ left: this.list.scrollLeft + (early || late) });
  }

  drop(kept) {
    for (const [id, item] of this.items) {
      if (kept.has(id)) continue;
      item.remove();
      this.items.delete(id);
    }
  }

  add(picture) {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.id = String(picture.id);
    button.addEventListener("click", () => this.onPick(picture));
    const badge = document.createElement("span");
    badge.className = "mark";
    button.append(blank(), badge);
    item.append(button);
    this.list.append(item);
    this.items.set(picture.id, item);
  }
}

function update(button, picture, current, view) {
  const { kind, sign, title } = picture.error ? { kind: "fault", sign: "×", title: "" } : mark(view);
  const [shown, badge] = button.children;
  button.setAttribute("aria-label", [picture.name, title].filter(Boolean).join(", "));
  if (current) button.setAttribute("aria-current", "true");
  else button.removeAttribute("aria-current");
  badge.dataset.outcome = kind;
  badge.textContent = sign;
  if (picture.thumb && shown !== picture.thumb) shown.replaceWith(picture.thumb);
}

/** A thumbnail of a bitmap, cropped to the strip's shape. */
export function thumbnail(bitmap) {
  const canvas = blank();
  const zoom = Math.max(canvas.width / bitmap.width, canvas.height / bitmap.height);
  const [width, height] = [bitmap.width * zoom, bitmap.height * zoom];
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, (canvas.width - width) / 2, (canvas.height - height) / 2, width, height);
  return canvas;
}

function blank() {
  const canvas = document.createElement("canvas");
  const ratio = window.devicePixelRatio || 1;
  canvas.width = WIDTH * ratio;
  canvas.height = HEIGHT * ratio;
  return canvas;
}
