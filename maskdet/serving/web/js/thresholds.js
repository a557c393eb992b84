// The sliders: one for all labels, and one for each.

import { labelName, t } from "./i18n.js";

export class Thresholds {
  /** onChange is called at each step of a slider. */
  constructor(elements, onChange) {
    this.all = elements.all;
    this.value = elements.value;
    this.list = elements.list;
    this.onChange = onChange;
    this.model = null;
    /** What the user has set, by bundle. */
    this.own = new Map();
    this.rows = new Map();
    this.all.addEventListener("input", () => this.move(Object.keys(this.values), this.all));
  }

  /** Those in force for a model: the user's, or the model's own. */
  of(model) {
    return this.own.get(model.bundle) ?? model.thresholds;
  }

  /** Those of the model whose sliders are shown. */
  get values() {
    return this.of(this.model);
  }

  /** Show the sliders of a model. */
  use(model) {
    if (model.bundle === this.model?.bundle) return;
    this.model = model;
    this.rows.clear();
    this.list.replaceChildren(...model.labels.map((label, index) => this.row(label, index)));
    this.paint();
  }

  reset() {
    this.own.delete(this.model.bundle);
    this.changed();
  }

  move(labels, slider) {
    const moved = labels.map((label) => [label, slider.valueAsNumber / 100]);
    this.own.set(this.model.bundle, { ...this.values, ...Object.fromEntries(moved) });
    this.changed();
  }

  row(label, index) {
    const row = document.createElement("div");
    row.className = "slider";
    const name = document.createElement("label");
    const input = document.createElement("input");
    const value = document.createElement("span");
    Object.assign(input, { type: "range", min: "0", max: "100", step: "1", id: `threshold-${index}` });
    name.htmlFor = input.id;
    // Visual only: screen readers use the slider's own text.
    value.className = "value";
    value.setAttribute("aria-hidden", "true");
    input.addEventListener("input", () => this.move([label], input));
    row.append(name, input, value);
    this.rows.set(label, { name, input, value });
    return row;
  }

  changed() {
    this.paint();
    this.onChange();
  }

  /** Update sliders and texts to the values and the language. */
  paint() {
    const values = Object.values(this.values);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const said = shown(low) === shown(high) ? shown(low) : `${shown(low)}–${shown(high)}`;
    set(this.all, (low + high) / 2, said);
    this.value.textContent = said;
    for (const [label, { name, input, value }] of this.rows) {
      name.textContent = labelName(label);
      input.setAttribute("aria-label", t("thresholdOf", { label: labelName(label) }));
      set(input, this.values[label], shown(this.values[label]));
      value.textContent = shown(this.values[label]);
    }
  }
}

function set(input, value, said) {
  // A browser rounds to whole steps; moving the handle during a drag would fight the user.
  if (document.activeElement !== input) input.value = String(Math.round(value * 100));
  input.setAttribute("aria-valuetext", said);
}

function shown(value) {
  return value.toFixed(2);
}
