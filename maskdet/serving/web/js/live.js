// The webcam on the page: its picture, its figures, its end.

import { t } from "./i18n.js";
import { spoken } from "./results.js";
import { cameras, Webcam } from "./webcam.js";

const part = (id) => document.getElementById(id);

export class Live {
  constructor(page) {
    this.page = page;
    this.outcome = "";
    this.webcam = new Webcam(part("video"), {
      detect: (blob) => page.api.detect(blob, { model: page.model.name, patient: false }),
      onFrame: (video, answer) => this.showFrame(video, answer),
      onFigures: (figures) => this.showFigures(figures),
      onError: (error) => this.end(error),
    });
  }

  get running() {
    return this.webcam.running;
  }

  /** The last result, in the form of a picture. */
  get shot() {
    return { name: t("live"), answer: this.webcam.answer };
  }

  async begin() {
    const { page } = this;
    page.voice.warn(Webcam.allowed ? "" : t("webcamInsecure"));
    // A camera opened twice could be closed only once.
    if (!Webcam.allowed || this.running || this.webcam.opening) return;
    this.outcome = "";
    try {
      await this.webcam.start();
      // Before the buttons are shown: one that comes later would move the others away under a finger.
      page.button("turn-webcam").hidden = (await cameras()).length < 2;
    } catch {
      this.webcam.stop();
      page.voice.warn(t("webcamRefused"));
      return;
    }
    page.voice.say(t("liveStarted"));
    page.refresh();
    page.button("snap").focus();
  }

  /** From the front to the rear of a phone, say. */
  async turn() {
    const { page } = this;
    const button = page.button("turn-webcam");
    button.disabled = true;
    try {
      await this.webcam.turn();
      page.voice.say(t("cameraSwitched"));
      page.refresh();
    } catch {
      this.close();
      page.voice.warn(t("webcamRefused"));
    } finally {
      button.disabled = false;
    }
  }

  end(error) {
    const { page } = this;
    if (!this.running) return;
    this.close();
    page.voice.say(t("liveStopped"));
    if (error?.code) page.complain(error, () => page.startWebcam());
    else if (error) page.voice.warn(t("liveStopped"));
  }

  close() {
    const { page } = this;
    this.webcam.stop();
    part("live-figures").textContent = "";
    page.stage.clear();
    page.refresh();
    // The picture from before the webcam may have been answered meanwhile.
    if (page.current) void page.putOnStage(page.current);
  }

  /** The current frame as a picture to keep on the page. */
  async snap() {
    const blob = await this.webcam.snap();
    const time = new Date().toTimeString().slice(0, 8).replaceAll(":", "-");
    await this.page.take([new File([blob], `webcam-${time}.jpg`, { type: "image/jpeg" })]);
  }

  showFrame(video, answer) {
    const { page } = this;
    const size = { width: answer?.width ?? video.videoWidth, height: answer?.height ?? video.videoHeight };
    const { faces, model } = page.viewOf({ answer }) ?? { faces: [] };
    page.stage.show(video, size, faces, { model });
  }

  showFigures({ rate, ms }) {
    const { page } = this;
    void page.keepUp(this.webcam.answer.model).catch((error) => this.end(error));
    part("live-figures").textContent = t("liveFigures", { rate: rate.toFixed(1), ms: Math.round(ms) });
    const view = page.viewOf(this.shot);
    // There is none while cameras are switched.
    if (!view) return;
    page.showResults(view);
    // Announce only what has changed.
    if (view.verdict.outcome !== this.outcome) page.voice.sayLater(() => this.says());
    this.outcome = view.verdict.outcome;
  }

  says() {
    const view = this.page.viewOf(this.shot);
    return view ? spoken(t("live"), view) : "";
  }
}
