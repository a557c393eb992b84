// One picture: the user's file, and the server's response.

import { ApiError } from "./api.js";
import { thumbnail } from "./strip.js";

let count = 0;

/** `view` is what the browser can show: the file itself, or the server's copy of it. */
export function newPicture(blob, name) {
  count += 1;
  return { id: count, name, blob, view: blob, thumb: null, answer: null, error: null };
}

/** The pixels, rotated as EXIF says; null if this browser does not support the format. */
export async function decoded(blob) {
  try {
    return await createImageBitmap(blob);
  } catch {
    return null;
  }
}

/** Ask the server about a picture. The outcome, result or error, is stored in the picture.
 *
 * known() resolves to the server's data needed for that: {api, model, limit}.
 */
export async function examine(picture, known) {
  try {
    const { api, model, limit } = await known();
    if (picture.blob.size > limit) throw new ApiError("body_too_large", "");
    const bitmap = await decoded(picture.blob);
    const answer = await api.detect(picture.blob, { model });
    if (!bitmap) picture.view = jpegOf(await api.copy(picture.blob));
    const pixels = bitmap ?? (await decoded(picture.view));
    if (pixels) picture.thumb = thumbnail(pixels);
    pixels?.close();
    picture.answer = answer;
  } catch (error) {
    picture.error = error;
  }
}

/** A JPEG contained in a response as base64. */
function jpegOf(base64) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  return new Blob([bytes], { type: "image/jpeg" });
}
