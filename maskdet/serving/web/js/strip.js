// The row of small pictures to choose from.

import { mark } from "./results.js";

const WIDTH = 104;
const HEIGHT = 78;

export class Strip {
  constructor(list, onPick) {
    this.list = list;
    this.onPick = onPick;
  }

  /** viewOf(picture) returns its view, or null. */
  show(pictures, current, viewOf) {
    const focused = this.list.contains(document.activeElement) ? document.activeElement.dataset.id : null;
    this.list.hidden = pictures.length < 2;
    this.list.replaceChildren(...pictures.map((picture) => this.item(picture, picture === current, viewOf(picture))));
    if (focused !== null) this.list.querySelector(`[data-id="${focused}"]`)?.focus();
  }

  item(picture, current, view) {
    const item = document.createElement("li");
    const button = document.createElement("button");
    const { kind, sign, title } = picture.error ? { kind: "fault", sign: "×", title: "" } : mark(view);
    button.type = "button";
    button.dataset.id = String(picture.id);
    button.setAttribute("aria-label", [picture.name, title].filter(Boolean).join(", "));
    if (current) button.setAttribute("aria-current", "true");
    button.addEventListener("click", () => this.onPick(picture));
    const badge = document.createElement("span");
    badge.className = "mark";
    badge.dataset.outcome = kind;
    badge.textContent = sign;
    button.append(picture.thumb ?? blank(), badge);
    item.append(button);
    return item;
  }
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
