// The pictures to review: pages of them from the server, and the pixels of those around the current one.

const PAGE = 50;
/** Pictures whose pixels are kept. */
const KEPT = 6;

export class ReviewQueue {
  constructor(api) {
    this.api = api;
    this.items = [];
    this.cursor = "";
    this.at = 0;
    /** {state, why, camera, model} */
    this.filters = { state: "open" };
    this.pixels = new Map();
  }

  get current() {
    return this.items[this.at] ?? null;
  }

  /** Start over with the filters; resolves to the server's counts. */
  async restart() {
    const answer = await this.page("");
    Object.assign(this, { items: answer.pictures, cursor: answer.next, at: 0 });
    return answer;
  }

  /** The server's counts alone. */
  counts() {
    return this.page("", 1);
  }

  page(after, limit = PAGE) {
    const wanted = Object.entries({ ...this.filters, after }).filter(([, value]) => value);
    const midnight = new Date().setHours(0, 0, 0, 0) / 1000;
    const query = new URLSearchParams([...wanted, ["limit", limit], ["since", midnight]]);
    return this.api.request(`v1/review/pictures?${query}`);
  }

  /** Go to a place; false if there is none. */
  async go(to) {
    if (to < 0) return false;
    if (to >= this.items.length - 2 && this.cursor) await this.more();
    if (to >= this.items.length) return false;
    this.at = to;
    return true;
  }

  async more() {
    const { pictures, next } = await this.page(this.cursor);
    const known = new Set(this.items.map(({ name }) => name));
    this.items.push(...pictures.filter(({ name }) => !known.has(name)));
    this.cursor = next;
  }

  /** Take the current picture out of the list; the next one moves up. */
  drop() {
    this.items.splice(this.at, 1);
    this.at = Math.max(0, Math.min(this.at, this.items.length - 1));
  }

  /** Fetch more pictures before the list ends. */
  async refill() {
    if (this.items.length - this.at < 2 && this.cursor) await this.more();
  }

  /** Put a picture before the current one, in place of any older copy. */
  insert(item) {
    const old = this.items.findIndex(({ name }) => name === item.name);
    if (old >= 0) this.items.splice(old, 1);
    if (old >= 0 && old < this.at) this.at -= 1;
    this.items.splice(this.at, 0, item);
  }

  /** A bitmap of the picture's pixels; the next picture's are fetched beside it. */
  async bitmap({ name }) {
    const wanted = this.fetched(name);
    const following = this.items[this.at + 1];
    if (following) this.fetched(following.name).catch(() => {});
    return wanted;
  }

  fetched(name) {
    const known = this.pixels.get(name) ?? this.fetch(name);
    this.pixels.delete(name);
    this.pixels.set(name, known);
    while (this.pixels.size > KEPT) {
      const [oldest, bitmap] = this.pixels.entries().next().value;
      this.pixels.delete(oldest);
      bitmap.then((one) => one.close()).catch(() => {});
    }
    return known;
  }

  fetch(name) {
    const fetched = this.api.blob(`v1/review/pictures/${name}/picture`).then((blob) => createImageBitmap(blob));
    fetched.catch(() => this.pixels.delete(name));
    return fetched;
  }

  reload({ name }) {
    return this.api.request(`v1/review/pictures/${name}`);
  }

  decide({ name, revision }, decision, boxes = null) {
    return this.post(`${name}/decision`, { decision, revision, ...(boxes ? { boxes } : {}) });
  }

  undo({ name, revision }) {
    return this.post(`${name}/undo`, { revision });
  }

  post(path, value) {
    const headers = { "content-type": "application/json" };
    return this.api.request(`v1/review/pictures/${path}`, { method: "POST", body: JSON.stringify(value), headers });
  }
}
