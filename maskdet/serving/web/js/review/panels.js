// The parts of the review page beside the picture: filters, counts, facts and faces.

import { labelName, t } from "../i18n.js";
import { labelStyle } from "../style.js";
import { swatch } from "../swatch.js";

const STATES = ["open", "proposal", "skipped", "accepted", "corrected", "rejected"];
const DECIDED = ["accepted", "corrected", "skipped", "rejected"];

const part = (id) => document.getElementById(id);

/** The reason in words; one that the page does not know is shown as it is. */
export function whyText(why) {
  const key = `why.${why}`;
  const text = t(key);
  return text === key ? why : text;
}

/** Fill the filters with what the server has; the chosen values stay. */
export function showFilters({ whys, cameras, models }, filters) {
  fill(part("state"), STATES.map((state) => [state, t(state)]), filters.state);
  fill(part("why"), choices(whys, whyText), filters.why);
  fill(part("camera"), choices(cameras, String), filters.camera);
  fill(part("model"), choices(models, String), filters.model);
}

/** The filters as chosen. */
export function chosenFilters() {
  return Object.fromEntries(["state", "why", "camera", "model"].map((id) => [id, part(id).value]));
}

export function showCounts({ left, today }) {
  const { proposal = 0, skipped = 0 } = left;
  const text = t("left", { count: proposal + skipped });
  part("left").textContent = skipped ? t("leftSkipped", { text, skipped }) : text;
  const decisions = DECIDED.filter((state) => today[state]).map((state) => `${t(state)} ${today[state]}`);
  part("today").textContent = decisions.length ? t("today", { text: decisions.join(" · ") }) : t("todayNone");
}

/** Why the picture is there, whence, and what was decided. */
export function showFacts(item) {
  const facts = [
    ["why", whyText(item.why)],
    ["more", item.about],
    ["camera", item.camera || t("none")],
    ["model", item.model],
    ["version", item.version],
    ["bundle", item.bundle],
    ["came", timeText(item.at)],
    ["decidedBy", decisionText(item)],
  ];
  const shown = facts.filter(([, value]) => value);
  part("facts").replaceChildren(...shown.flatMap(([key, value]) => [text("dt", t(key)), text("dd", value)]));
}

/** onPoint(face or null) is called when the user points at a face in the list. */
export function showFaces(item, model, onPoint) {
  const decided = item.state === "accepted" || item.state === "corrected";
  part("results-title").textContent = t(decided ? "decided" : "proposed");
  part("face-count").textContent = String(item.faces.length);
  part("no-faces").hidden = item.faces.length > 0;
  part("faces").replaceChildren(...item.faces.map((face, index) => faceRow(face, index, model, onPoint)));
}

function faceRow(face, index, model, onPoint) {
  const row = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  const score = face.score === null ? "" : face.score.toFixed(2);
  const label = labelName(face.label);
  const words = [score ? t("faceLabel", { number: index + 1, label, score }) : label];
  button.append(swatch(labelStyle(model, face.label)), text("span", label, "face-name"));
  for (const mark of ["disputed", "difficult"].filter((one) => face[one])) {
    button.append(text("span", t(mark), mark));
    words.push(t(mark));
  }
  button.append(text("span", score, "face-score"));
  button.setAttribute("aria-label", words.join(", "));
  for (const event of ["focus", "pointerenter"]) button.addEventListener(event, () => onPoint(face));
  for (const event of ["blur", "pointerleave"]) button.addEventListener(event, () => onPoint(null));
  row.append(button);
  return row;
}

function decisionText({ decision, state }) {
  if (!decision) return "";
  const values = { what: t(state), by: decision.by, at: timeText(decision.at) };
  return t(decision.by ? "byAt" : "at", values);
}

function timeText(at) {
  return new Date(at).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
}

function choices(counts, name) {
  const known = Object.entries(counts).map(([value, count]) => [value, `${name(value)} (${count})`]);
  return [["", t("all")], ...known];
}

function fill(select, options, chosen = "") {
  // A value that no picture has any more can still be chosen: the user chose it.
  const all = options.some(([value]) => value === chosen) ? options : [...options, [chosen, chosen]];
  select.replaceChildren(...all.map(([value, name]) => new Option(name, value, false, value === chosen)));
}

function text(tag, content, className = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.textContent = content;
  return made;
}
