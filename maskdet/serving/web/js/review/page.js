// The review page: one captured picture at a time, and a person's decision on it.

import { Api, forgetKey } from "../api.js";
import { Editor } from "../editor.js";
import { addTexts, errorText, preferredLanguage, setLanguage, t } from "../i18n.js";
import { askKey, offerKey } from "../key.js";
import { showLegend } from "../legend.js";
import { Stage } from "../stage.js";
import { Voice } from "../voice.js";
import { en } from "./en.js";
import { chosenFilters, showCounts, showFaces, showFacts, showFilters, whyText } from "./panels.js";
import { ReviewQueue } from "./queue.js";
import { zh } from "./zh.js";

const KEYS = {
  a: "accept", f: "fix", s: "skip", r: "reject", u: "undo",
  j: "next", k: "previous", ArrowRight: "next", ArrowLeft: "previous", "?": "keys",
};
const KEYS_WHILE_FIXING = { Enter: "save", Escape: "cancel", "?": "keys" };
const STATES = { accept: "accepted", correct: "corrected", skip: "skipped", reject: "rejected" };
/** Somebody else was faster. */
const OVERTAKEN = ["conflict", "unknown_picture"];
/** A key that is held down goes on with these only: decisions need a look at each picture. */
const REPEATED = ["next", "previous"];
/** Nothing else may happen meanwhile. */
const EXCLUSIVE = ["accept", "save", "skip", "reject", "undo", "next", "previous", "reload"];

addTexts({ en, zh });

const part = (id) => document.getElementById(id);

class Page {
  constructor() {
    Object.assign(this, { models: [], counts: null, bitmap: null, fixing: false, busy: false, done: [] });
    /** Filters were chosen while something else was under way. */
    this.outdated = false;
    this.voice = new Voice(part("notice"), part("status"), part("other-key"));
    this.api = new Api((wasWrong) => askKey(part("key-dialog"), wasWrong));
    this.queue = new ReviewQueue(this.api);
    this.stage = new Stage(part("stage"), part("frame"), part("canvas"));
    this.editor = new Editor(part("editor"), part("boxes"), this.button("add-box"), (text) => this.voice.say(text));
  }

  async start() {
    this.switchLanguage(preferredLanguage());
    this.listen();
    await this.guarded(() => this.connect());
  }

  async connect() {
    this.models = (await this.api.config()).models;
    this.counts = await this.queue.restart();
    await this.show();
  }

  // User actions.

  listen() {
    this.actions = {
      accept: () => this.decide("accept"),
      skip: () => this.decide("skip"),
      reject: () => this.decide("reject"),
      save: () => this.decide("correct", this.editor.boxes()),
      fix: () => this.fix(),
      cancel: () => this.cancel(),
      undo: () => this.undo(),
      next: () => this.step(1),
      previous: () => this.step(-1),
      reload: () => this.restart(),
      keys: () => part("keys-dialog").showModal(),
      "other-key": () => this.otherKey(),
    };
    document.addEventListener("click", (event) => {
      const { action, language } = event.target.closest("button")?.dataset ?? {};
      if (action) this.act(action);
      else if (language) this.switchLanguage(language, { keep: true });
    });
    document.addEventListener("keydown", (event) => this.press(event));
    part("filters").addEventListener("change", () => this.filter());
    part("filters").addEventListener("submit", (event) => event.preventDefault());
    window.addEventListener("beforeunload", (event) => {
      if (this.fixing && this.editor.changed) event.preventDefault();
    });
  }

  press(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || document.querySelector("dialog[open]")) return;
    const keys = this.fixing ? KEYS_WHILE_FIXING : KEYS;
    const action = keys[event.key] ?? keys[event.key.toLowerCase()];
    // Keys that a control uses for itself stay its own.
    const typing = event.target.matches("select, input");
    const pressing = event.key === "Enter" && event.target.matches("button:not(.box), a");
    if (pressing && event.repeat) event.preventDefault();
    if (!action || event.defaultPrevented || typing || pressing) return;
    event.preventDefault();
    if (!event.repeat || REPEATED.includes(action)) this.act(action);
  }

  act(action) {
    const work = this.actions[action];
    if (!work || (!this.queue.current && ["accept", "fix", "skip", "reject", "save"].includes(action))) return;
    if (EXCLUSIVE.includes(action)) void this.guarded(work);
    else void work();
  }

  /** One thing at a time; what goes wrong is told. */
  async guarded(work) {
    if (this.busy) return;
    this.busy = true;
    try {
      await work();
    } catch (error) {
      this.complain(error);
    } finally {
      this.busy = false;
    }
    if (!this.outdated) return;
    this.outdated = false;
    this.act("reload");
  }

  complain(error) {
    this.voice.warn(errorText(error));
    offerKey(part("other-key"), error);
  }

  switchLanguage(language, options) {
    setLanguage(language, options);
    this.refresh();
    if (this.fixing) this.editor.retell();
  }

  async otherKey() {
    forgetKey();
    this.voice.tell("");
    // To start over would drop the boxes that could not be stored.
    await this.guarded(() => (this.fixing ? this.actions.save() : this.connect()));
  }

  /** Choices are kept at once: what is under way would put the old ones back when it shows its answer. */
  filter() {
    this.queue.filters = chosenFilters();
    this.outdated = this.busy;
    this.act("reload");
  }

  async restart() {
    this.endFix();
    this.counts = await this.queue.restart();
    this.voice.tell("");
    await this.show();
  }

  async decide(decision, boxes = null) {
    if (this.fixing !== (decision === "correct")) return;
    if (!this.bitmap) {
      await this.lookAgain();
      return;
    }
    const item = this.queue.current;
    try {
      this.done.push(await this.queue.decide(item, decision, boxes));
    } catch (error) {
      if (OVERTAKEN.includes(error.code)) await this.overtaken(item);
      throw error;
    }
    this.endFix();
    this.voice.tell("");
    this.queue.drop();
    this.voice.say(t("said", { what: t(STATES[decision]) }));
    await this.recount();
  }

  /** Nobody decides on a picture that could not be fetched: the key that would have done so fetches it again. */
  async lookAgain() {
    this.voice.tell("");
    await this.show();
  }

  /** Somebody else was faster: show what became of the picture. */
  async overtaken(item) {
    this.endFix();
    const now = await this.queue.reload(item).catch(() => null);
    if (now && ["proposal", "skipped"].includes(now.state)) this.queue.insert(now);
    else this.queue.drop();
    await this.recount();
  }

  async undo() {
    if (this.fixing) return;
    const last = this.done.at(-1);
    if (!last) {
      this.voice.say(t("nothingToUndo"));
      return;
    }
    const undone = await this.queue.undo(last).catch((error) => {
      if (OVERTAKEN.includes(error.code)) this.done.pop();
      throw error;
    });
    this.done.pop();
    this.queue.insert(undone);
    this.voice.tell("");
    await this.recount();
    this.voice.say(t("undone"));
  }

  async step(by) {
    if (this.fixing || !this.queue.current) return;
    if (await this.queue.go(this.queue.at + by)) await this.show();
    else this.voice.say(t(by < 0 ? "firstOne" : "lastOne"));
  }

  fix() {
    if (this.fixing || this.busy || !this.bitmap) return;
    const item = this.queue.current;
    this.fixing = true;
    this.editor.open(item.faces, item, this.modelOf(item));
    this.refresh();
    part("correction-title").focus();
  }

  cancel() {
    // Boxes on their way to the server cannot be had back.
    if (this.busy || (this.editor.changed && !confirm(t("dropBoxes")))) return;
    this.endFix();
    this.refresh();
    this.button("fix").focus();
  }

  endFix() {
    if (!this.fixing) return;
    this.fixing = false;
    this.editor.close();
  }

  // Display.

  /** After a change of the list. The next picture is shown also if the server says nothing more about it. */
  async recount() {
    this.clear();
    try {
      await this.queue.refill();
      this.counts = await this.queue.counts();
    } catch (error) {
      this.complain(error);
    }
    await this.show();
  }

  /** Take the old picture off at once: a decision would be on the one that has taken its place in the list. */
  clear() {
    this.bitmap = null;
    this.stage.clear();
    this.refresh();
  }

  async show() {
    const item = this.queue.current;
    this.clear();
    if (!item) return;
    const bitmap = await this.queue.bitmap(item);
    if (this.queue.current !== item) return;
    this.bitmap = bitmap;
    this.refresh();
    this.voice.sayLater(() => `${this.title()}. ${whyText(item.why)}. ${t("faces", { count: item.faces.length })}`);
  }

  refresh() {
    const item = this.queue.current;
    if (this.counts) {
      showCounts(this.counts);
      showFilters(this.counts, this.queue.filters);
    }
    // Another filter would drop the boxes.
    for (const select of part("filters").elements) select.disabled = this.fixing;
    part("view").hidden = !item;
    part("nothing").hidden = Boolean(item) || !this.counts;
    part("nothing-text").textContent = t(this.isFiltered() ? "nothingFiltered" : "nothingOpen");
    if (item) this.showItem(item);
  }

  showItem(item) {
    const model = this.modelOf(item);
    part("picture-title").textContent = this.title();
    part("busy").hidden = Boolean(this.bitmap);
    part("stage").setAttribute("aria-busy", String(!this.bitmap));
    part("correction").hidden = !this.fixing;
    for (const id of ["decide", "results"]) part(id).hidden = this.fixing;
    for (const way of ["previous", "next"]) this.button(way).disabled = this.fixing;
    this.button("undo").disabled = this.done.length === 0;
    showFacts(item);
    showFaces(item, model, (face) => this.draw(face));
    showLegend(part("legend"), this.fixing ? [] : item.faces, model);
    this.draw();
  }

  draw(chosen = null) {
    const item = this.queue.current;
    part("frame").hidden = !this.bitmap;
    if (!this.bitmap) return;
    const faces = this.fixing ? [] : item.faces;
    this.stage.show(this.bitmap, item, faces, { model: this.modelOf(item), chosen });
    const { width, height } = item;
    const label = t("reviewCanvas", { width, height, faces: t("faces", { count: item.faces.length }) });
    part("canvas").setAttribute("aria-label", label);
  }

  title() {
    const { items, at, cursor } = this.queue;
    return t(cursor ? "titleMore" : "titleOf", { number: at + 1, total: items.length });
  }

  isFiltered() {
    const { state, why, camera, model } = this.queue.filters;
    return state !== "open" || Boolean(why || camera || model);
  }

  /** The loaded model that proposed the boxes, or the default one; its labels have their colours. */
  modelOf({ model }) {
    return this.models.find(({ name }) => name === model) ?? this.models[0];
  }

  button(action) {
    return document.querySelector(`[data-action="${action}"]`);
  }
}

void new Page().start();
