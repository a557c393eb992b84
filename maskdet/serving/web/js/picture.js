// One picture: the user's file, and the server's response.

import { ApiError } from "./api.js";
import { thumbnail } from "./strip.js";

let count = 0;

/**
 * `view` is what the browser can show: the file itself, or the server's copy of it. `turn` counts what was forgotten.
 * `draft` has the boxes of a correction that could not be sent.
 */
export function newPicture(blob, name) {
  count += 1;
  return { id: count, name, blob, view: blob, thumb: null, answer: null, error: null, draft: null, turn: 0 };
}

/** Before the server is asked again: what is still on its way must not replace the new outcome. */
export function forget(picture) {
  Object.assign(picture, { answer: null, error: null, draft: null, turn: picture.turn + 1 });
}

/** The pixels, rotated as EXIF says; null if this browser does not support the format. */
export async function decoded(blob) {
  try {
    return await createImageBitmap(blob);
  } catch {
    return null;
  }
}

/** Ask the server about a picture. The outcome, result or error, is stored in the picture, unless it was forgotten.
 *
 * known() resolves to the server's data needed for that: {api, model, limit}. Resolves to whether it was stored.
 */
export async function examine(picture, known) {
  const { blob, turn } = picture;
  const outcome = await outcomeOf(blob, known).catch((error) => ({ error }));
  if (picture.turn !== turn) return false;
  Object.assign(picture, outcome);
  return true;
}

async function outcomeOf(blob, known) {
  await mustBeReadable(blob);
  const { api, model, limit } = await known();
  if (blob.size > limit) throw new ApiError("body_too_large", "");
  const bitmap = await decoded(blob);
  const answer = await api.detect(blob, { model });
  const view = bitmap ? blob : jpegOf(await api.copy(blob));
  const pixels = bitmap ?? (await decoded(view));
  const thumb = pixels && thumbnail(pixels);
  pixels?.close();
  return { answer, view, thumb };
}

/** Sending a folder, or a file changed since it was chosen, fails as if the network did: so this is found out first. */
async function mustBeReadable(blob) {
  try {
    await blob.slice(0, 1).arrayBuffer();
  } catch (error) {
    throw new ApiError("unreadable", String(error));
  }
}

/** A JPEG contained in a response as base64. */
function jpegOf(base64) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  return new Blob([bytes], { type: "image/jpeg" });
}
