// The page: connects the user's actions to the parts of the page.

import { Api, forgetKey } from "./api.js";
import { Correction } from "./correction.js";
import { errorText, preferredLanguage, setLanguage, t } from "./i18n.js";
import { listen, sample } from "./intake.js";
import { askKey, needsKey, offerKey } from "./key.js";
import { showLegend } from "./legend.js";
import { Live } from "./live.js";
import { decoded, examine, forget, newPicture } from "./picture.js";
import { policyText } from "./policy.js";
import { Queue } from "./queue.js";
import { Results, spoken } from "./results.js";
import { saveJson, savePicture } from "./saving.js";
import { Stage } from "./stage.js";
import { Strip } from "./strip.js";
import { Thresholds } from "./thresholds.js";
import { jsonValue, viewOf } from "./view.js";
import { Voice } from "./voice.js";

const WORTH_A_RETRY = ["network", "busy", "draining", "not_ready", "slow_body", "internal"];

const part = (id) => document.getElementById(id);

class Page {
  constructor() {
    Object.assign(this, { config: null, model: null, connecting: null });
    Object.assign(this, { pictures: [], current: null, bitmap: null, chosen: null });
    /** By bundle: a picture keeps the thresholds of the one that answered. */
    this.models = new Map();
    this.voice = new Voice(part("notice"), part("status"), part("other-key"));
    this.api = new Api((wasWrong) => askKey(part("key-dialog"), wasWrong));
    this.queue = new Queue((picture) => this.look(picture));
    this.stage = new Stage(part("stage"), part("frame"), part("canvas"));
    this.strip = new Strip(part("strip"), (picture) => this.choose(picture));
    this.results = new Results(document, (face) => this.point(face));
    this.correction = new Correction(this);
    this.live = new Live(this);
    this.thresholds = new Thresholds(
      { all: part("threshold"), value: part("threshold-value"), list: part("label-thresholds") },
      () => this.refilter(),
    );
  }

  async start() {
    if (matchMedia("(pointer: coarse)").matches) part("intake-title").dataset.i18n = "chooseTitle";
    this.switchLanguage(preferredLanguage());
    this.listen();
    await this.connected();
  }

  /** Fetch the server's data for the page: once, and again after a failure. */
  connect() {
    this.connecting ??= this.learn().catch((error) => {
      this.connecting = null;
      throw error;
    });
    return this.connecting;
  }

  async learn() {
    this.remember(await this.api.config());
    const { models, inbox, captures } = this.config;
    this.voice.warn("");
    part("model").replaceChildren(...models.map(({ name }) => new Option(name, name)));
    part("model").parentElement.hidden = models.length < 2;
    part("wrong").hidden = !inbox;
    part("review").hidden = !inbox;
    part("privacy").dataset.i18n = captures ? "privacyCaptures" : "privacy";
    part("privacy").textContent = t(part("privacy").dataset.i18n);
    this.useModel(models[0]);
  }

  remember(config) {
    this.config = config;
    for (const model of config.models) this.models.set(model.bundle, model);
  }

  /** Whether the server's data is available; the user is told if it is not. */
  async connected() {
    try {
      await this.connect();
      return true;
    } catch (error) {
      this.complain(error, () => this.connected());
      return false;
    }
  }

  /** Tell of an error; if another key may mend it, `again` is what to do with that. */
  complain(error, again) {
    this.voice.warn(errorText(error, { limit: this.limit() }));
    offerKey(part("other-key"), error);
    this.again = again;
  }

  useModel(model) {
    this.model = model;
    this.refresh();
  }

  /** The model that answered for a picture; the current one before any answer. */
  modelOf(picture) {
    return this.models.get(picture?.answer?.model.bundle) ?? this.model;
  }

  // User actions.

  listen() {
    const actions = {
      choose: () => part("files").click(),
      webcam: () => this.startWebcam(),
      "stop-webcam": () => this.live.end(),
      "turn-webcam": () => this.live.turn(),
      snap: () => this.live.snap(),
      clear: () => this.clear(),
      retry: () => this.retry([this.current]),
      "retry-key": () => this.retryWithKey(),
      "other-key": () => this.useOtherKey(),
      "own-thresholds": () => this.thresholds.reset(),
      "save-picture": () => this.savePicture(),
      "save-json": () => saveJson(this.jsonValue(), this.shown().name),
      correct: () => this.correction.begin(),
      "send-correction": () => this.correction.submit(),
      "cancel-correction": () => this.correction.cancel(),
    };
    document.addEventListener("click", (event) => {
      const { action, language, sample: name } = event.target.closest("button")?.dataset ?? {};
      if (action in actions) void actions[action]();
      else if (language) this.switchLanguage(language, { keep: true });
      else if (name) void this.takeSample(name);
    });
    part("model").addEventListener("change", (event) => this.changeModel(event.target.value));
    window.addEventListener("beforeunload", (event) => {
      if (this.correction.unsent) event.preventDefault();
    });
    listen({ input: part("files"), veil: part("drop-veil"), onFiles: (files) => this.take(files) });
  }

  button(action) {
    return document.querySelector(`[data-action="${action}"]`);
  }

  switchLanguage(language, options) {
    setLanguage(language, options);
    if (this.model) this.thresholds.paint();
    this.refresh();
    this.correction.retell();
  }

  async take(files) {
    const added = files.map((file) => newPicture(file, file.name || t("pasted")));
    this.pictures.push(...added);
    this.queue.add(added);
    await this.choose(added[0]);
  }

  async takeSample(name) {
    const file = await sample(name);
    if (file) await this.take([file]);
    else this.voice.warn(t("sampleFailed"));
  }

  async look(picture) {
    if (this.isOnStage(picture)) this.voice.say(t("workingOn", { name: picture.name }));
    if (!(await examine(picture, () => this.known()))) return;
    if (picture.answer) await this.keepUp(picture.answer.model).catch((error) => this.voice.warn(errorText(error)));
    // The webcam is not switched off by an answer that comes late.
    if (this.isOnStage(picture)) await this.pick(picture);
    else this.showStrip();
  }

  async known() {
    await this.connect();
    return { api: this.api, model: this.model.name, limit: this.config.max_upload_bytes };
  }

  /** A server may swap its model, and back again: after the answer of another one it is asked which is current. */
  async keepUp({ bundle }) {
    if (bundle === this.model.bundle) return;
    this.remember(await this.api.config());
    const { models } = this.config;
    this.useModel(models.find(({ name }) => name === this.model.name) ?? models[0]);
  }

  /** Show a picture because the user wants to see it. */
  async choose(picture) {
    if (this.correction.mayEnd()) await this.pick(picture);
    else this.showStrip();
  }

  async pick(picture) {
    this.live.end();
    this.correction.end();
    this.voice.tell("");
    await this.putOnStage(picture);
    if (!this.isOnStage(picture)) return;
    if (picture.answer) this.voice.say(spoken(picture.name, this.viewOf(picture)));
    else if (picture.error) this.voice.say(this.faultText(picture));
  }

  isOnStage(picture) {
    return picture === this.current && !this.live.running;
  }

  async putOnStage(picture) {
    Object.assign(this, { current: picture, chosen: null });
    const bitmap = await decoded(picture.view);
    if (this.current !== picture) {
      bitmap?.close();
      return;
    }
    this.bitmap?.close();
    this.bitmap = bitmap;
    // The picture on the stage may just have been closed.
    if (!bitmap) this.stage.clear();
    this.refresh();
  }

  point(face) {
    if (this.live.running || this.chosen === face) return;
    this.chosen = face;
    this.draw();
  }

  retry(pictures) {
    pictures.forEach(forget);
    this.queue.add(pictures);
    this.refresh();
  }

  /** All pictures that the old key was of no use for are sent again. */
  retryWithKey() {
    forgetKey();
    this.retry(this.pictures.filter(({ error }) => needsKey(error)));
  }

  async useOtherKey() {
    forgetKey();
    this.voice.tell("");
    await this.again();
  }

  clear() {
    if (!this.correction.mayForget()) return;
    this.live.end();
    this.correction.end();
    this.queue.clear();
    this.bitmap?.close();
    Object.assign(this, { pictures: [], current: null, bitmap: null, chosen: null });
    this.stage.clear();
    this.voice.tell("");
    this.refresh();
    this.button("choose").focus();
  }

  changeModel(name) {
    if (!this.correction.mayForget()) {
      part("model").value = this.model.name;
      return;
    }
    this.correction.end();
    this.queue.clear();
    this.pictures.forEach(forget);
    this.useModel(this.config.models.find((model) => model.name === name));
    this.queue.add(this.pictures);
  }

  async startWebcam() {
    if (!(await this.connected()) || !this.correction.mayEnd()) return;
    this.correction.end();
    this.chosen = null;
    await this.live.begin();
  }

  async savePicture() {
    const { faces, model } = this.viewOf(this.current);
    await savePicture(this.bitmap, this.current.answer, faces, this.current.name, model);
  }

  // Display.

  refilter() {
    this.refresh();
    if (this.shown()?.answer) this.voice.sayLater(() => spoken(this.shown().name, this.viewOf(this.shown())));
  }

  shown() {
    return this.live.running ? this.live.shot : this.current;
  }

  /** The view of a result at the thresholds in force for its model; null without a result. */
  viewOf(picture) {
    const model = this.modelOf(picture);
    return model && viewOf(picture, this.thresholds.of(model), model, this.config.uncertain_band);
  }

  jsonValue() {
    return jsonValue(this.shown(), this.viewOf(this.shown()));
  }

  refresh() {
    const live = this.live.running;
    const { current } = this;
    const view = this.viewOf(this.shown());
    if (this.model) this.thresholds.use(this.modelOf(this.shown()));
    part("intake").hidden = live || current !== null;
    part("view").hidden = !live && current === null;
    part("picture-title").textContent = this.shown()?.name ?? "";
    part("live-bar").hidden = !live;
    part("busy").hidden = live || !current || Boolean(current.answer || current.error);
    part("stage").setAttribute("aria-busy", String(!part("busy").hidden));
    this.showPanels(live, view);
    this.showStrip();
    this.showResults(view);
    this.draw();
  }

  showPanels(live, view) {
    const { current } = this;
    const fault = live ? null : (current?.error ?? null);
    const editing = this.correction.open;
    part("fault").hidden = !fault;
    part("retry").hidden = !WORTH_A_RETRY.includes(fault?.code);
    offerKey(part("fault-key"), fault);
    part("fault-text").textContent = fault ? this.faultText(current) : "";
    for (const id of ["verdict", "thresholds", "results", "raw"]) part(id).hidden = Boolean(fault) || editing;
    part("thresholds").hidden ||= !this.model;
    part("policy").textContent = this.model ? policyText(this.thresholds) : "";
    part("correction").hidden = !editing;
    part("actions").hidden = live;
    part("again").hidden = live;
    for (const action of ["save-picture", "correct"]) this.button(action).disabled = !view || !this.bitmap;
    this.button("save-json").disabled = !view;
  }

  showResults(view) {
    this.results.show(view);
    this.results.showJson(this.jsonValue());
    showLegend(part("legend"), this.correction.open ? [] : (view?.faces ?? []), view?.model);
  }

  showStrip() {
    this.strip.show(this.pictures, this.live.running ? null : this.current, (picture) => this.viewOf(picture));
  }

  draw() {
    const { current, bitmap } = this;
    part("frame").hidden = !this.live.running && !bitmap;
    if (this.live.running || !current || !bitmap) return;
    const view = this.viewOf(current);
    const faces = this.correction.open || !view ? [] : view.faces;
    const size = current.answer ?? bitmap;
    this.stage.show(bitmap, size, faces, { model: view?.model, chosen: this.chosen });
    const values = { name: current.name, width: size.width, height: size.height };
    values.faces = t("faces", { count: faces.length });
    part("canvas").setAttribute("aria-label", t("canvasLabel", values));
  }

  faultText({ error, name }) {
    return errorText(error, { name, limit: this.limit() });
  }

  limit() {
    return this.config ? `${(this.config.max_upload_bytes / 2 ** 20).toFixed(0)} MiB` : "";
  }
}

void new Page().start();
