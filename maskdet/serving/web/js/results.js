// The verdict, the list of faces and the JSON text of the current picture.

import { labelName, t } from "./i18n.js";
import { jsonText } from "./saving.js";
import { labelStyle } from "./style.js";
import { swatch } from "./swatch.js";
import { said } from "./view.js";

const TITLES = { ok: "verdictOk", none: "verdictNone", violation: "verdictViolation", uncertain: "verdictUncertain" };
const SIGNS = { ok: "✓", none: "–", violation: "!", uncertain: "?", waiting: "…" };

export class Results {
  /** onChoose(face or null) is called when the user points at a face in the list. */
  constructor(root, onChoose) {
    this.part = (id) => root.getElementById(id);
    this.onChoose = onChoose;
  }

  /** view: {faces, verdict, model} of a processed picture, or null while there is no result. */
  show(view) {
    const kind = view ? kindOf(view) : "waiting";
    const box = this.part("verdict");
    box.dataset.outcome = kind;
    this.part("verdict-icon").textContent = SIGNS[kind];
    this.part("verdict-title").textContent = view ? t(TITLES[kind]) : t("verdictWaiting");
    this.part("verdict-text").textContent = view ? verdictText(view) : "";
    const faces = view?.faces ?? [];
    this.part("face-count").textContent = String(faces.length);
    this.part("no-faces").hidden = !view || faces.length > 0;
    this.part("faces").replaceChildren(...faces.map((face, index) => this.row(face, index, view.model)));
  }

  showJson(value) {
    this.part("json").textContent = value ? jsonText(value) : "";
  }

  row(face, index, model) {
    const item = document.createElement("li");
    const { label, score, box } = said(face);
    Object.assign(item.dataset, { label, score: String(score), box: box.join(",") });
    const button = document.createElement("button");
    button.type = "button";
    const values = { number: index + 1, label: labelName(face.label), score: face.score.toFixed(2) };
    button.setAttribute("aria-label", t("faceLabel", values));
    button.append(swatch(labelStyle(model, face.label)), text("face-name", values.label));
    const bar = document.createElement("meter");
    Object.assign(bar, { min: 0, max: 1, value: face.score });
    bar.setAttribute("aria-hidden", "true");
    button.append(bar, text("face-score", values.score));
    for (const event of ["focus", "pointerenter"]) button.addEventListener(event, () => this.onChoose(face));
    for (const event of ["blur", "pointerleave"]) button.addEventListener(event, () => this.onChoose(null));
    item.append(button);
    return item;
  }
}

/** One sentence for a screen reader. */
export function spoken(name, view) {
  return t("pictureSays", { name, verdict: t(TITLES[kindOf(view)]), text: verdictText(view) });
}

/** The sign and the outcome of a picture in the strip. */
export function mark(view) {
  const kind = view ? kindOf(view) : "waiting";
  return { kind, sign: SIGNS[kind], title: view ? t(TITLES[kind]) : t("verdictWaiting") };
}

function kindOf({ verdict, faces }) {
  return verdict.outcome === "ok" && faces.length === 0 ? "none" : verdict.outcome;
}

function verdictText({ verdict, faces, model }) {
  const counts = Object.entries(verdict.counts)
    .filter(([, count]) => count > 0)
    .map(([label, count]) => `${labelName(label)} ${count}`)
    .join(" · ");
  if (verdict.outcome === "uncertain") return [t(doubt(verdict, model)), counts].filter(Boolean).join(" ");
  return faces.length ? counts : t("verdictNoneText");
}

/** Why a verdict is uncertain, in the order of the rule. */
function doubt({ counts }, { unknown_labels: unknown }) {
  return unknown.some((label) => counts[label]) ? "verdictNoRoleText" : "verdictUncertainText";
}

function text(className, content) {
  const span = document.createElement("span");
  span.className = className;
  span.textContent = content;
  return span;
}
