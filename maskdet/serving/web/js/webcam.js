// The webcam: frames go to the server one at a time, so a slow server only reduces their number.

const LONGEST_SIDE = 640;
const QUALITY = 0.85;

export class Webcam {
  /**
   * detect(blob) resolves to a result; onFrame(video, answer) is called for each screen frame,
   * onFigures({rate, ms}) for each result, onError(error) when it cannot continue.
   */
  constructor(video, { detect, onFrame, onFigures, onError }) {
    Object.assign(this, { video, detect, onFrame, onFigures, onError });
    this.stream = null;
    /** The user may take a while to allow the camera. */
    this.opening = false;
    this.answer = null;
    this.shot = document.createElement("canvas");
  }

  /** Browsers allow the webcam on secure pages only. */
  static get allowed() {
    return Boolean(navigator.mediaDevices?.getUserMedia);
  }

  get running() {
    return this.stream !== null;
  }

  /** Open the camera of that id, or the one that faces the user. */
  async start(id = null) {
    const which = id ? { deviceId: { exact: id } } : { facingMode: "user" };
    const wanted = { width: { ideal: 1280 }, height: { ideal: 720 }, ...which };
    this.opening = true;
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
    } finally {
      this.opening = false;
    }
    const { stream } = this;
    this.answer = null;
    this.video.srcObject = stream;
    // Unplugging a webcam ends its track.
    stream.getVideoTracks()[0].addEventListener("ended", () => this.onError(new Error("ended")));
    await this.video.play();
    requestAnimationFrame(() => this.paint(stream));
    void this.look(stream);
  }

  /** Go on with the next camera. Many phones open one only once the other is closed. */
  async turn() {
    const { deviceId } = this.stream.getVideoTracks()[0].getSettings();
    const all = await cameras();
    this.stop();
    await this.start(all[(all.indexOf(deviceId) + 1) % all.length]);
  }

  stop() {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    this.video.srcObject = null;
  }

  /** The current frame at full size, as a JPEG. */
  snap() {
    return this.grab(Infinity, 0.95);
  }

  paint(stream) {
    if (this.stream !== stream) return;
    if (this.video.videoWidth) this.onFrame(this.video, this.answer);
    requestAnimationFrame(() => this.paint(stream));
  }

  async look(stream) {
    let before = performance.now();
    while (this.stream === stream) {
      try {
        if (document.hidden || !this.video.videoWidth) {
          await pause(200);
          continue;
        }
        const started = performance.now();
        const answer = await this.detect(await this.grab(LONGEST_SIDE, QUALITY));
        if (this.stream !== stream) return;
        const now = performance.now();
        this.answer = answer;
        this.onFigures({ rate: 1000 / Math.max(1, now - before), ms: now - started });
        before = now;
      } catch (error) {
        if (this.stream !== stream) return;
        if (error.status !== 503) {
          this.onError(error);
          return;
        }
        await pause((error.retryAfter || 1) * 1000);
      }
    }
  }

  grab(longest, quality) {
    const { videoWidth, videoHeight } = this.video;
    const zoom = Math.min(1, longest / Math.max(videoWidth, videoHeight));
    this.shot.width = Math.round(videoWidth * zoom);
    this.shot.height = Math.round(videoHeight * zoom);
    this.shot.getContext("2d").drawImage(this.video, 0, 0, this.shot.width, this.shot.height);
    return new Promise((resolve) => {
      this.shot.toBlob(resolve, "image/jpeg", quality);
    });
  }
}

/** The ids of all cameras; browsers tell them once the user has allowed one. */
export async function cameras() {
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices.filter(({ kind }) => kind === "videoinput").map(({ deviceId }) => deviceId);
}

function pause(milliseconds) {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
