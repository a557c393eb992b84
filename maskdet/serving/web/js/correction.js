// "Wrong?": from the detections to the user's correction, and to the server's inbox.

import { Editor } from "./editor.js";
import { errorText, t } from "./i18n.js";

const part = (id) => document.getElementById(id);

export class Correction {
  constructor(page) {
    this.page = page;
    this.open = false;
    this.send = page.button("send-correction");
    this.editor = new Editor(part("editor"), part("boxes"), page.button("add-box"), (text) => page.voice.say(text));
  }

  begin() {
    const { page } = this;
    const { faces, model } = page.viewOf(page.current);
    const { width, height } = page.current.answer;
    this.open = true;
    page.voice.tell("");
    this.editor.open(faces, { width, height }, model);
    page.refresh();
    part("correction-title").focus();
  }

  end() {
    if (!this.open) return;
    this.open = false;
    this.editor.close();
    this.page.refresh();
  }

  cancel() {
    this.end();
    part("wrong").focus();
  }

  retell() {
    if (this.open) this.editor.retell();
  }

  async submit() {
    const { page } = this;
    this.send.disabled = true;
    page.voice.say(t("sending"));
    try {
      const { name } = await page.api.correct(page.current.blob, this.editor.boxes(), page.model.name);
      this.cancel();
      page.voice.tell(t("sent", { name }));
    } catch (error) {
      page.voice.warn(errorText(error, { limit: page.limit() }));
    } finally {
      this.send.disabled = false;
    }
  }
}
