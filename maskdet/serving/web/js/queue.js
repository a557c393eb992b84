// Works through pictures, a few at a time, first come first served.

const AT_ONCE = 2;

export class Queue {
  /** work(item) returns a promise that never fails. */
  constructor(work) {
    this.work = work;
    this.waiting = [];
    this.busy = 0;
  }

  add(items) {
    this.waiting.push(...items);
    this.go();
  }

  clear() {
    this.waiting = [];
  }

  go() {
    while (this.busy < AT_ONCE && this.waiting.length) {
      this.busy += 1;
      void this.work(this.waiting.shift()).finally(() => {
        this.busy -= 1;
        this.go();
      });
    }
  }
}
