// The server's API, and the key it may ask for.

const KEY = "maskdet-key";
const BUSY_TRIES = 3;

/** An error from the server or the network. `code` is the server's own, or "network"; `scope` the one that a key lacks. */
export class ApiError extends Error {
  constructor(code, message, { status = 0, retryAfter = 0, scope = "" } = {}) {
    super(message);
    this.code = code;
    this.status = status;
    this.retryAfter = retryAfter;
    this.scope = scope;
  }
}

export class Api {
  /** askKey(wasWrong) resolves to a key typed by the user. */
  constructor(askKey) {
    this.askKey = askKey;
    this.asking = null;
  }

  config() {
    return this.request("v1/page");
  }

  /** What the server has seen; options as of GET /v1/monitor. */
  monitor(options) {
    return this.request(`v1/monitor?${new URLSearchParams(options)}`);
  }

  /** The result with all candidates, so that thresholds can be changed without another request. */
  detect(blob, { model = "", patient = true } = {}) {
    return this.look(blob, { candidates: "true", ...(model ? { model } : {}) }, patient);
  }

  /** The picture as a JPEG in base64, without drawing: for formats that this browser cannot read. */
  async copy(blob) {
    const { image } = await this.look(blob, { visualize: "true", max_detections: "0" });
    return image;
  }

  async look(blob, wanted, patient = true) {
    const options = new URLSearchParams(wanted);
    const post = { method: "POST", body: blob, headers: { "content-type": "application/octet-stream" } };
    const answer = await this.request(`v1/detect?${options}`, post, patient ? BUSY_TRIES : 1);
    return answer.results[0];
  }

  /** model: {name, bundle} of the answer that is corrected. */
  correct(blob, boxes, { name, bundle }) {
    const form = new FormData();
    form.append("image", blob, "picture");
    form.append("boxes", JSON.stringify(boxes));
    form.append("model", name);
    form.append("bundle", bundle);
    return this.request("v1/corrections", { method: "POST", body: form }, BUSY_TRIES);
  }

  /** The bytes of a response. */
  blob(path) {
    return this.request(path, {}, 1, (response) => response.blob());
  }

  /** The response, as JSON or as `read` does. Retries a busy server after the time it states; asks for a missing key. */
  async request(path, options = {}, tries = 1, read = (response) => response.json()) {
    for (let attempt = 1; ; attempt += 1) {
      const sent = storedKey();
      try {
        return await once(path, options, sent, read);
      } catch (error) {
        if (error.status === 401) {
          await this.newKey(sent);
          attempt -= 1;
        } else if (error.status !== 503 || attempt >= tries) {
          throw error;
        } else {
          await pause(Math.min(error.retryAfter || 1, 5) * 1000);
        }
      }
    }
  }

  /** Several requests may find the key missing at once; the user is asked once. */
  async newKey(sent) {
    if (storedKey() !== sent) return;
    this.asking ??= this.askKey(sent !== "").finally(() => {
      this.asking = null;
    });
    storeKey(await this.asking);
  }
}

async function once(path, options, key, read) {
  const headers = { ...options.headers, ...(key ? { "x-api-key": key } : {}) };
  let response;
  try {
    response = await fetch(path, { ...options, headers, credentials: "omit", cache: "no-store" });
  } catch (error) {
    throw new ApiError("network", String(error));
  }
  const body = await (response.ok ? read(response) : response.json()).catch(() => null);
  if (response.ok && body !== null) return body;
  const said = body?.error ?? { code: "unknown", message: `HTTP ${response.status}` };
  throw new ApiError(said.code, said.message, {
    status: response.status,
    retryAfter: Number(response.headers.get("retry-after")) || 0,
    scope: /scope="(.*?)"/.exec(response.headers.get("www-authenticate"))?.[1],
  });
}

function pause(milliseconds) {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}

function storedKey() {
  return sessionStorage.getItem(KEY) ?? "";
}

/** The next request asks for a key, if the server wants one. */
export function forgetKey() {
  sessionStorage.removeItem(KEY);
}

function storeKey(key) {
  // A header allows no other characters, and a pasted key often ends in a space.
  sessionStorage.setItem(KEY, key.trim().replace(/[^\x21-\x7e]/g, ""));
}
