// What the page says: a notice that everyone sees, and words for a screen reader.

const LATER_MS = 500;

export class Voice {
  constructor(notice, status) {
    this.notice = notice;
    this.status = status;
  }

  /** Something that went wrong; "" takes it away. */
  warn(text) {
    this.tell(text);
    this.notice.classList.add("bad");
  }

  /** Something that went well; "" takes it away. */
  tell(text) {
    this.notice.classList.remove("bad");
    this.notice.hidden = text === "";
    this.notice.textContent = text;
  }

  /** Heard only. */
  say(text) {
    clearTimeout(this.later);
    this.status.textContent = text;
  }

  /** Heard once things have come to rest; text() is asked for then. */
  sayLater(text) {
    clearTimeout(this.later);
    this.later = setTimeout(() => this.say(text()), LATER_MS);
  }
}
