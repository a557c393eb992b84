// "Wrong?": from the detections to the user's correction, and to the server's inbox.

import { Editor } from "./editor.js";
import { errorText, t } from "./i18n.js";

const part = (id) => document.getElementById(id);

export class Correction {
  constructor(page) {
    this.page = page;
    /** What is being corrected: {picture}, a new one each time. */
    this.opening = null;
    this.send = page.button("send-correction");
    this.editor = new Editor(part("editor"), part("boxes"), page.button("add-box"), (text) => page.voice.say(text));
  }

  get open() {
    return this.opening !== null;
  }

  /** Boxes that would be lost: changed, and not on their way to the server. */
  get unsaved() {
    return this.open && !this.send.disabled && this.editor.changed;
  }

  /** Also those of drafts, which outlive the editor but not their picture. */
  get unsent() {
    return this.unsaved || this.page.pictures.some(({ draft }) => draft);
  }

  /** Whether the user may go on to another picture. */
  mayEnd() {
    return !this.unsaved || confirm(t("dropBoxes"));
  }

  /** Whether all pictures, or their answers, may go. */
  mayForget() {
    return !this.unsent || confirm(t("dropBoxes"));
  }

  begin() {
    const { page } = this;
    const { faces, model } = page.viewOf(page.current);
    const { width, height } = page.current.answer;
    this.opening = { picture: page.current };
    this.send.disabled = false;
    page.voice.tell("");
    this.editor.open(page.current.draft ?? faces, { width, height }, model);
    page.refresh();
    part("correction-title").focus();
  }

  end() {
    if (!this.open) return;
    this.opening = null;
    // What went wrong with it, and the offer to try again, go with it.
    this.page.voice.tell("");
    this.editor.close();
    this.page.refresh();
  }

  cancel() {
    this.opening.picture.draft = null;
    this.end();
    part("wrong").focus();
  }

  /** For later, since the user has gone on. */
  keep(picture, boxes, error) {
    picture.draft = boxes;
    const text = errorText(error, { limit: this.page.limit() });
    this.page.voice.warn(t("notSent", { name: picture.name, text }));
  }

  retell() {
    if (this.open) this.editor.retell();
  }

  /** The user may have gone on to another picture, and to its correction, before the answer comes. */
  async submit() {
    const { page, opening } = this;
    const { picture } = opening;
    const { model } = picture.answer;
    const boxes = this.editor.boxes();
    this.send.disabled = true;
    page.voice.say(t("sending"));
    try {
      const { name } = await page.api.correct(picture.blob, boxes, model);
      picture.draft = null;
      if (this.opening === opening) this.cancel();
      page.voice.tell(t("sent", { name }));
    } catch (error) {
      if (this.opening === opening) page.complain(error, () => this.submit());
      else this.keep(picture, boxes, error);
    } finally {
      if (this.opening === opening) this.send.disabled = false;
    }
  }
}
