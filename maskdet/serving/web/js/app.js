// The page: ties what a person does to what the parts show.

import { Api } from "./api.js";
import { Editor } from "./editor.js";
import { errorText, labelName, preferredLanguage, setLanguage, t } from "./i18n.js";
import { listen, sample } from "./intake.js";
import { above, judge } from "./judge.js";
import { askKey } from "./key.js";
import { decoded, jpegOf, newPicture } from "./picture.js";
import { Results, spoken } from "./results.js";
import { saveJson, savePicture } from "./saving.js";
import { Stage } from "./stage.js";
import { Strip, thumbnail } from "./strip.js";
import { Thresholds } from "./thresholds.js";
import { Webcam } from "./webcam.js";

const AT_ONCE = 2;
const SAY_AFTER_MS = 500;

const part = (id) => document.getElementById(id);

class Page {
  constructor() {
    this.api = new Api((wasWrong) => askKey(part("key-dialog"), wasWrong));
    this.pictures = [];
    this.waiting = [];
    this.busy = 0;
    this.current = null;
    this.bitmap = null;
    this.chosen = null;
    this.editing = false;
    this.stage = new Stage(part("stage"), part("frame"), part("canvas"));
    this.strip = new Strip(part("strip"), (picture) => this.pick(picture));
    this.results = new Results(document, (face) => this.point(face));
    this.editor = new Editor(part("editor"), part("boxes"), this.button("add-box"), (text) => this.say(text));
    this.thresholds = new Thresholds(
      { all: part("threshold"), value: part("threshold-value"), list: part("label-thresholds") },
      () => this.refilter(),
    );
    this.webcam = new Webcam(part("video"), {
      detect: (blob) => this.api.detect(blob, { model: this.model.name, patient: false }),
      onFrame: (video, answer) => this.showFrame(video, answer),
      onFigures: (figures) => this.showFigures(figures),
      onError: (error) => this.endWebcam(error),
    });
  }

  async start() {
    this.switchLanguage(preferredLanguage());
    this.listen();
    await this.connect();
  }

  async connect() {
    try {
      this.config = await this.api.config();
    } catch (error) {
      this.warn(errorText(error));
      return false;
    }
    this.warn("");
    this.fillModels();
    this.useModel(this.config.models[0]);
    part("wrong").hidden = !this.config.inbox;
    return true;
  }

  fillModels() {
    const select = part("model");
    select.replaceChildren(...this.config.models.map(({ name }) => new Option(name, name)));
    select.parentElement.hidden = this.config.models.length < 2;
  }

  useModel(model) {
    this.model = model;
    this.thresholds.use(model);
  }

  // What a person does.

  listen() {
    const actions = {
      choose: () => part("files").click(),
      webcam: () => this.startWebcam(),
      "stop-webcam": () => this.endWebcam(),
      snap: () => this.snap(),
      clear: () => this.clear(),
      retry: () => this.retry(),
      "own-thresholds": () => this.thresholds.reset(),
      "save-picture": () => this.savePicture(),
      "save-json": () => saveJson(this.jsonValue(), this.current?.name ?? t("live")),
      correct: () => this.correct(),
      "send-correction": () => this.sendCorrection(),
      "cancel-correction": () => this.endCorrection(),
    };
    document.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      if (button.dataset.action in actions) void actions[button.dataset.action]();
      else if (button.dataset.language) this.switchLanguage(button.dataset.language, { keep: true });
      else if (button.dataset.sample) void sample(button.dataset.sample).then((file) => this.take([file]));
    });
    part("model").addEventListener("change", (event) => this.changeModel(event.target.value));
    listen({ input: part("files"), veil: part("drop-veil"), onFiles: (files) => this.take(files) });
  }

  button(action) {
    return document.querySelector(`[data-action="${action}"]`);
  }

  switchLanguage(language, options) {
    setLanguage(language, options);
    if (!this.model) return;
    this.thresholds.paint();
    this.refresh();
    if (this.editing) this.editor.retell();
  }

  async take(files) {
    if (!this.config && !(await this.connect())) return;
    this.endWebcam();
    this.endCorrection();
    const added = files.map((file) => newPicture(file, file.name || t("pasted")));
    this.pictures.push(...added);
    this.waiting.push(...added);
    await this.pick(added[0]);
    this.work();
  }

  work() {
    while (this.busy < AT_ONCE && this.waiting.length) {
      this.busy += 1;
      void this.look(this.waiting.shift()).finally(() => {
        this.busy -= 1;
        this.work();
      });
    }
  }

  async look(picture) {
    if (picture === this.current) this.say(t("workingOn", { name: picture.name }));
    try {
      if (picture.blob.size > this.config.max_upload_bytes) throw { code: "body_too_large", message: "" };
      const bitmap = await decoded(picture.blob);
      const answer = await this.api.detect(picture.blob, { model: this.model.name, drawn: !bitmap });
      if (!bitmap) picture.view = jpegOf(answer.image);
      delete answer.image;
      picture.answer = answer;
      await this.makeThumb(picture, bitmap);
    } catch (error) {
      picture.error = error;
    }
    if (picture === this.current) await this.pick(picture);
    else this.showStrip();
  }

  async makeThumb(picture, bitmap) {
    const pixels = bitmap ?? (await decoded(picture.view));
    if (pixels) picture.thumb = thumbnail(pixels);
    pixels?.close();
  }

  async pick(picture) {
    this.endWebcam();
    this.endCorrection();
    this.current = picture;
    this.chosen = null;
    const bitmap = await decoded(picture.view);
    if (this.current !== picture) {
      bitmap?.close();
      return;
    }
    this.bitmap?.close();
    this.bitmap = bitmap;
    this.refresh();
    if (picture.answer) this.say(spoken(picture.name, this.viewOf(picture)));
    else if (picture.error) this.say(this.faultText(picture));
  }

  point(face) {
    if (this.webcam.running || this.chosen === face) return;
    this.chosen = face;
    this.draw();
  }

  retry() {
    this.current.error = null;
    this.waiting.push(this.current);
    this.refresh();
    this.work();
  }

  clear() {
    this.endWebcam();
    this.endCorrection();
    Object.assign(this, { pictures: [], waiting: [], current: null, chosen: null });
    this.stage.clear();
    this.refresh();
    this.button("choose").focus();
  }

  changeModel(name) {
    this.useModel(this.config.models.find((model) => model.name === name));
    for (const picture of this.pictures) Object.assign(picture, { answer: null, error: null });
    this.waiting = [...this.pictures];
    this.refresh();
    this.work();
  }

  async savePicture() {
    const faces = this.viewOf(this.current).faces;
    await savePicture(this.bitmap, faces, this.current.name, { model: this.model, caption });
  }

  // Putting it right.

  correct() {
    const { faces } = this.viewOf(this.current);
    const { width, height } = this.current.answer;
    this.editing = true;
    this.editor.open(faces, { width, height }, this.model);
    this.refresh();
    part("correction-title").focus();
  }

  endCorrection() {
    if (!this.editing) return;
    this.editing = false;
    this.editor.close();
    this.refresh();
    if (!part("wrong").disabled) part("wrong").focus();
  }

  async sendCorrection() {
    const send = this.button("send-correction");
    send.disabled = true;
    this.say(t("sending"));
    try {
      const { name } = await this.api.correct(this.current.blob, this.editor.boxes(), this.model.name);
      this.endCorrection();
      this.tell(t("sent", { name }));
    } catch (error) {
      this.warn(errorText(error));
    } finally {
      send.disabled = false;
    }
  }

  // The webcam.

  async startWebcam() {
    if (!this.config && !(await this.connect())) return;
    if (!Webcam.allowed) {
      this.warn(t("webcamInsecure"));
      return;
    }
    this.endCorrection();
    this.warn("");
    this.liveOutcome = "";
    try {
      await this.webcam.start();
    } catch {
      this.webcam.stop();
      this.warn(t("webcamRefused"));
      return;
    }
    this.chosen = null;
    this.say(t("liveStarted"));
    this.refresh();
    this.button("snap").focus();
  }

  endWebcam(error) {
    if (!this.webcam.running) return;
    this.webcam.stop();
    this.say(t("liveStopped"));
    if (error) this.warn(error.code ? errorText(error) : t("liveStopped"));
    this.stage.clear();
    this.refresh();
  }

  async snap() {
    const blob = await this.webcam.snap();
    await this.take([new File([blob], `webcam-${this.pictures.length + 1}.jpg`, { type: "image/jpeg" })]);
  }

  showFrame(video, answer) {
    const size = { width: answer?.width ?? video.videoWidth, height: answer?.height ?? video.videoHeight };
    const faces = answer ? above(answer.candidates, this.thresholds.values) : [];
    this.stage.show(video, size, faces, { model: this.model, caption });
  }

  showFigures({ rate, ms }) {
    part("live-figures").textContent = t("liveFigures", { rate: rate.toFixed(1), ms: Math.round(ms) });
    const view = this.viewOf(this.webcam);
    this.results.show(view);
    this.results.showJson(this.jsonValue());
    // Only what has changed is worth hearing.
    if (view.verdict.outcome !== this.liveOutcome) this.sayLater(() => spoken(t("live"), this.viewOf(this.webcam)));
    this.liveOutcome = view.verdict.outcome;
  }

  // What is shown.

  refilter() {
    this.refresh();
    const shown = this.shown();
    if (shown?.answer) this.sayLater(() => spoken(this.current?.name ?? t("live"), this.viewOf(shown)));
  }

  shown() {
    return this.webcam.running ? this.webcam : this.current;
  }

  /** What the page says of an answer at the present thresholds. */
  viewOf(picture) {
    if (!picture?.answer) return null;
    const { candidates } = picture.answer;
    const { values } = this.thresholds;
    const verdict = judge(candidates, values, this.model, this.config.uncertain_band);
    return { faces: above(candidates, values), verdict, model: this.model };
  }

  jsonValue() {
    const shown = this.shown();
    const view = this.viewOf(shown);
    if (!view) return null;
    const { width, height, model, timing_ms } = shown.answer;
    const { faces: detections, verdict } = view;
    const thresholds = this.thresholds.values;
    return { picture: shown.name ?? "webcam", width, height, thresholds, detections, verdict, model, timing_ms };
  }

  refresh() {
    const live = this.webcam.running;
    const { current } = this;
    const view = this.viewOf(this.shown());
    part("intake").hidden = live || current !== null;
    part("view").hidden = !live && current === null;
    part("picture-title").textContent = live ? t("live") : (current?.name ?? "");
    part("live-bar").hidden = !live;
    part("busy").hidden = live || !current || Boolean(current.answer || current.error);
    part("stage").setAttribute("aria-busy", String(!part("busy").hidden));
    this.showPanels(live, view);
    this.showStrip();
    this.results.show(view);
    this.results.showJson(this.jsonValue());
    if (!live) this.draw();
  }

  showPanels(live, view) {
    const { current, editing } = this;
    const fault = !live && Boolean(current?.error);
    part("fault").hidden = !fault;
    part("fault-text").textContent = fault ? this.faultText(current) : "";
    for (const id of ["verdict", "thresholds", "results", "raw"]) part(id).hidden = fault || editing;
    part("correction").hidden = !editing;
    for (const action of ["save-picture", "correct"]) this.button(action).disabled = live || !view || !this.bitmap;
    this.button("save-json").disabled = !view;
  }

  showStrip() {
    this.strip.show(this.pictures, this.webcam.running ? null : this.current, (picture) => this.viewOf(picture));
  }

  draw() {
    const { current, bitmap } = this;
    part("frame").hidden = !this.webcam.running && !bitmap;
    if (!current || !bitmap) return;
    const view = this.viewOf(current);
    const faces = this.editing || !view ? [] : view.faces;
    const size = current.answer ?? bitmap;
    this.stage.show(bitmap, size, faces, { model: this.model, caption, chosen: this.chosen });
    const { width, height } = size;
    const counted = t("faces", { count: faces.length });
    part("canvas").setAttribute("aria-label", t("canvasLabel", { name: current.name, width, height, faces: counted }));
  }

  faultText({ error, name }) {
    const limit = `${(this.config.max_upload_bytes / 2 ** 20).toFixed(0)} MiB`;
    return errorText(error, { name, limit });
  }

  /** A fault that concerns the whole page; "" takes it away. */
  warn(text) {
    this.tell(text);
    part("notice").classList.add("bad");
  }

  tell(text) {
    const notice = part("notice");
    notice.classList.remove("bad");
    notice.hidden = text === "";
    notice.textContent = text;
  }

  say(text) {
    clearTimeout(this.later);
    part("status").textContent = text;
  }

  sayLater(text) {
    clearTimeout(this.later);
    this.later = setTimeout(() => this.say(text()), SAY_AFTER_MS);
  }
}

function caption(face) {
  return `${labelName(face.label)} ${face.score.toFixed(2)}`;
}

void new Page().start();
