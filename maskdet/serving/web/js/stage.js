// Where the picture is shown: a canvas as large as there is room, in the screen's own pixels.

import { drawFaces } from "./draw.js";

const LARGEST_ZOOM = 4;

export class Stage {
  constructor(room, frame, canvas) {
    this.room = room;
    this.frame = frame;
    this.canvas = canvas;
    this.shown = null;
    new ResizeObserver(() => this.draw()).observe(room);
    window.addEventListener("resize", () => this.draw());
  }

  /** Show a picture or video frame of `size` {width, height} with its faces. */
  show(picture, size, faces, { model, chosen = null }) {
    this.shown = { picture, size, faces, model, chosen };
    this.draw();
  }

  clear() {
    this.shown = null;
    this.canvas.width = 0;
    this.canvas.height = 0;
  }

  draw() {
    if (!this.shown || this.room.clientWidth === 0) return;
    const { picture, size, faces, model, chosen } = this.shown;
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = this.fit(size);
    this.frame.style.width = `${width}px`;
    this.frame.style.height = `${height}px`;
    setSize(this.canvas, Math.round(width * ratio), Math.round(height * ratio));
    drawFaces(this.canvas, picture, faces, { size, ratio, model, chosen });
  }

  /** CSS pixels for a picture in the available space. */
  fit(size) {
    const high = Math.max(240, Math.min(window.innerHeight * 0.68, 760));
    const zoom = Math.min(this.room.clientWidth / size.width, high / size.height, LARGEST_ZOOM);
    return [Math.max(1, Math.round(size.width * zoom)), Math.max(1, Math.round(size.height * zoom))];
  }
}

// Setting a canvas's size clears it, so a video would flicker.
function setSize(canvas, width, height) {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
}
