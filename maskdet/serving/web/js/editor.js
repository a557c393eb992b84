// Correcting boxes: each box is a button over the picture and a row in a list, so touch, mouse and keys all work.

import { draggedBox, movedBox, newBox, rounded } from "./box.js";
import { labelName, t } from "./i18n.js";
import { layPlates } from "./plates.js";
import { labelStyle } from "./style.js";

const CORNERS = ["nw", "ne", "sw", "se"];
const EDGES = ["left", "top", "right", "bottom"];
/** Boxes: with more of them bright rims would hide faces, so only the selected one has a rim. */
const MOST_RIMMED = 8;
const BORDERS = ["solid", "dashed", "dotted", "double"];
/** A drawn box smaller than this, in CSS pixels, was a click. */
const SMALLEST_DRAG = 5;

export class Editor {
  /** area: the element over the picture; list: the rows; say(text): announce to a screen reader. */
  constructor(area, list, addButton, say) {
    Object.assign(this, { area, list, addButton, say });
    Object.assign(this, { rows: [], chosen: null, hovered: null, frame: null });
    /** While a box is dragged: puts it back. */
    this.undoDrag = null;
    area.setAttribute("role", "application");
    area.addEventListener("pointerdown", (event) => this.press(event));
    area.addEventListener("keydown", (event) => this.key(event));
    area.addEventListener("pointerover", (event) => this.hover(event.target));
    area.addEventListener("pointerleave", () => this.hover(null));
    list.addEventListener("keydown", (event) => this.leaveField(event));
    addButton.addEventListener("click", () => this.addInMiddle());
    new ResizeObserver(() => this.arrange()).observe(area);
  }

  /** Start with the faces found in a picture of `size` {width, height}. */
  open(faces, size, model) {
    Object.assign(this, { size, model, rows: [], hovered: null });
    this.area.replaceChildren();
    this.list.replaceChildren();
    for (const face of faces) this.add(rounded(face.box, size), face.label, face.difficult);
    this.opened = JSON.stringify(this.boxes());
    this.area.hidden = false;
    this.retell();
  }

  close() {
    this.undoDrag?.();
    this.area.hidden = true;
    this.area.replaceChildren();
    this.list.replaceChildren();
    this.rows = [];
  }

  /** Whether the boxes are others than those it was opened with. */
  get changed() {
    return JSON.stringify(this.boxes()) !== this.opened;
  }

  /** The boxes to send. */
  boxes() {
    return this.rows.map(({ label, box, difficult }) => ({ label, box, ...(difficult ? { difficult } : {}) }));
  }

  add(box, label, difficult = false) {
    const row = { box, label, difficult, ...boxButton(), ...listRow(this.model) };
    row.button.addEventListener("focus", () => this.choose(row));
    row.item.addEventListener("focusin", () => this.choose(row));
    row.select.addEventListener("change", () => this.relabel(row, row.select.value));
    row.remove.addEventListener("click", () => this.delete(row));
    row.edges.forEach((input, index) => {
      input.addEventListener("change", () => this.setEdge(row, index, input.valueAsNumber));
    });
    this.area.append(row.button, row.tag);
    this.list.append(row.item);
    this.rows.push(row);
    this.paint(row);
    return row;
  }

  addInMiddle() {
    const row = this.add(newBox(this.size), this.chosen?.label ?? this.model.labels[0]);
    this.retell();
    row.button.focus();
    this.say(t("boxAdded", { number: this.rows.length }));
  }

  delete(row) {
    const index = this.rows.indexOf(row);
    this.rows.splice(index, 1);
    for (const element of [row.button, row.tag, row.item]) element.remove();
    if (this.chosen === row) this.chosen = null;
    if (this.hovered === row) this.hovered = null;
    this.retell();
    const next = this.rows[Math.min(index, this.rows.length - 1)];
    (next?.button ?? this.addButton).focus();
    this.say(t("boxRemoved", { number: index + 1 }));
  }

  relabel(row, label) {
    row.label = label;
    this.paint(row);
  }

  setEdge(row, index, value) {
    const wanted = [...row.box];
    if (Number.isFinite(value)) wanted[index] = value;
    const box = rounded(wanted, this.size);
    if (box[0] < box[2] && box[1] < box[3]) row.box = box;
    this.paint(row);
  }

  choose(row) {
    this.chosen = row;
    for (const one of this.rows) {
      one.item.classList.toggle("chosen", one === row);
      one.button.classList.toggle("chosen", one === row);
    }
    this.arrange();
  }

  hover(element) {
    this.hovered = this.rows.find(({ button }) => button.contains(element)) ?? null;
    this.arrange();
  }

  /** Plates make room for each other, so all are placed anew, once for all changes before the next frame. */
  arrange() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      if (this.rows.length) layPlates(this.area, this.rows, this.size, this.hovered ?? this.chosen);
    });
  }

  /** Texts after a change of language, of order or of number. */
  retell() {
    this.area.setAttribute("aria-label", t("correctionArea"));
    this.area.classList.toggle("crowded", this.rows.length > MOST_RIMMED);
    for (const row of this.rows) this.paint(row);
  }

  paint(row) {
    const { box, label, button } = row;
    const { width, height } = this.size;
    const style = labelStyle(this.model, label);
    const number = this.rows.indexOf(row) + 1;
    const [x1, y1, x2, y2] = box;
    const place = { left: x1 / width, top: y1 / height, width: (x2 - x1) / width, height: (y2 - y1) / height };
    for (const [side, share] of Object.entries(place)) button.style[side] = `${share * 100}%`;
    for (const element of [button, row.tag]) {
      element.style.setProperty("--colour", style.colour);
      element.style.setProperty("--ink", style.ink);
    }
    button.style.setProperty("--border", BORDERS[this.model.labels.indexOf(label) % BORDERS.length]);
    button.style.setProperty("--line", `${this.lineOf(place)}px`);
    button.dataset.label = label;
    button.dataset.box = box.join(",");
    button.setAttribute("aria-label", t("boxLabel", { number, label: labelName(label), x1, y1, x2, y2 }));
    paintRow(row, number, style);
    this.arrange();
  }

  /** CSS pixels: thinner for small faces, so that the border leaves them visible. */
  lineOf({ width, height }) {
    const side = Math.min(width * this.area.clientWidth, height * this.area.clientHeight);
    return Math.max(1, Math.min(3, Math.round(side / 14)));
  }

  press(event) {
    // With a second finger it is a gesture and no drag: the box goes back to where it was, and a new one goes.
    if (this.undoDrag) this.undoDrag();
    else if (event.button === 0 && event.isPrimary) this.grasp(event);
  }

  grasp(event) {
    const row = this.rows.find((one) => one.button.contains(event.target));
    const corner = event.target.dataset?.corner ?? null;
    event.preventDefault();
    if (row) this.drag(event, row, corner ?? "move");
    else this.draw(event);
  }

  draw(event) {
    const [x, y] = this.point(event);
    const row = this.add([x, y, x, y], this.chosen?.label ?? this.model.labels[0]);
    this.drag(event, row, "se", true);
  }

  /** Follow the pointer until it is released. */
  drag(event, row, part, fresh = false) {
    const [startX, startY] = this.point(event);
    const start = row.box;
    const place = (box) => {
      row.box = box;
      this.paint(row);
    };
    const move = (next) => {
      const [x, y] = this.point(next);
      place(draggedBox(start, part, x - startX, y - startY, this.size));
    };
    row.button.focus({ preventScroll: true });
    const end = this.follow(event.pointerId, move, () => this.settle(row, fresh));
    this.undoDrag = () => {
      place(start);
      end();
    };
  }

  /** Listen to one pointer, whatever others do; the function returned ends that as a release does. */
  follow(pointerId, onMove, onEnd) {
    const over = new AbortController();
    const end = () => {
      over.abort();
      this.undoDrag = null;
      onEnd();
    };
    const listen = (name, act) => {
      const own = (event) => event.pointerId === pointerId && act(event);
      this.area.addEventListener(name, own, { signal: over.signal });
    };
    this.area.setPointerCapture(pointerId);
    listen("pointermove", onMove);
    for (const name of ["pointerup", "pointercancel"]) listen(name, end);
    return end;
  }

  settle(row, fresh) {
    const { width, height } = row.button.getBoundingClientRect();
    if (fresh && (width < SMALLEST_DRAG || height < SMALLEST_DRAG)) this.delete(row);
    else this.retell();
  }

  /** Whole pixels of the picture under the pointer. */
  point(event) {
    const frame = this.area.getBoundingClientRect();
    const x = ((event.clientX - frame.left) / frame.width) * this.size.width;
    const y = ((event.clientY - frame.top) / frame.height) * this.size.height;
    return [Math.round(x), Math.round(y)];
  }

  /** Escape goes from a field back to its box: whoever closes a drop-down with it means nothing more. */
  leaveField(event) {
    if (event.key !== "Escape" || !event.target.matches("select, input")) return;
    event.preventDefault();
    this.chosen.button.focus();
  }

  key(event) {
    const row = this.rows.find((one) => one.button === event.target);
    if (!row || event.altKey || event.ctrlKey || event.metaKey) return;
    const step = Math.max(1, Math.round(Math.max(this.size.width, this.size.height) / 200));
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (way) {
      const [x, y] = way.map((one) => one * step);
      row.box = event.shiftKey ? draggedBox(row.box, "se", x, y, this.size) : movedBox(row.box, x, y, this.size);
      this.paint(row);
    } else if (event.key === "Delete" || event.key === "Backspace") {
      this.delete(row);
    } else if (this.model.labels[Number(event.key) - 1]) {
      this.relabel(row, this.model.labels[Number(event.key) - 1]);
      this.say(labelName(row.label));
    } else {
      return;
    }
    event.preventDefault();
  }
}

function boxButton() {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "box";
  const tag = document.createElement("span");
  tag.className = "tag";
  // The box says the same.
  tag.setAttribute("aria-hidden", "true");
  for (const corner of CORNERS) {
    const handle = document.createElement("span");
    handle.className = "handle";
    handle.dataset.corner = corner;
    button.append(handle);
  }
  return { button, tag };
}

function listRow(model) {
  const item = document.createElement("li");
  const number = document.createElement("span");
  const select = document.createElement("select");
  const remove = document.createElement("button");
  const grid = document.createElement("div");
  number.className = "number";
  select.append(...model.labels.map((label) => new Option(label, label)));
  Object.assign(remove, { type: "button", textContent: "×", className: "remove" });
  grid.className = "edges";
  const edges = EDGES.map(() => {
    const name = document.createElement("label");
    const input = document.createElement("input");
    Object.assign(input, { type: "number", step: "1", min: "0", inputMode: "numeric" });
    name.append(document.createElement("span"), input);
    grid.append(name);
    return input;
  });
  item.append(number, select, remove, grid);
  return { item, number, select, remove, edges };
}

function paintRow({ number: badge, select, remove, edges, label, box }, number, style) {
  badge.textContent = String(number);
  badge.style.setProperty("--colour", style.colour);
  badge.style.setProperty("--ink", style.ink);
  for (const option of select.options) option.textContent = labelName(option.value);
  select.value = label;
  select.setAttribute("aria-label", t("boxClass", { number }));
  remove.setAttribute("aria-label", t("removeBox", { number }));
  edges.forEach((input, index) => {
    const edge = t(EDGES[index]);
    input.previousElementSibling.textContent = edge;
    input.setAttribute("aria-label", t("boxEdge", { number, edge }));
    input.value = String(box[index]);
  });
}
