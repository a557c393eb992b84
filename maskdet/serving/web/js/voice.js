// Messages: a visible notice, and text for a screen reader.

const LATER_MS = 500;

export class Voice {
  /** remedy: what the user can do about the notice; it goes with it. */
  constructor(notice, status, remedy = null) {
    Object.assign(this, { notice, status, remedy });
  }

  /** Something that went wrong; "" clears it. */
  warn(text) {
    this.tell(text);
    this.notice.classList.add("bad");
  }

  /** Something that went well; "" clears it. */
  tell(text) {
    this.notice.classList.remove("bad");
    this.notice.hidden = text === "";
    if (this.remedy) this.remedy.hidden = true;
    this.notice.textContent = text;
  }

  /** For screen readers only. */
  say(text) {
    clearTimeout(this.later);
    this.status.textContent = text;
  }

  /** Announced once things have settled; text() is called then. */
  sayLater(text) {
    clearTimeout(this.later);
    this.later = setTimeout(() => this.say(text()), LATER_MS);
  }
}
