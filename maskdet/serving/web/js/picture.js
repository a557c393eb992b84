// One picture on its way: what a person gave, and what the server said.

let count = 0;

/** `view` is what the browser can show: the file itself, or the server's copy of it. */
export function newPicture(blob, name) {
  count += 1;
  return { id: count, name, blob, view: blob, thumb: null, answer: null, error: null };
}

/** The pixels, turned as EXIF says; null if this browser does not know the format. */
export async function decoded(blob) {
  try {
    return await createImageBitmap(blob);
  } catch {
    return null;
  }
}

/** A JPEG that stands in an answer as base64. */
export function jpegOf(base64) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  return new Blob([bytes], { type: "image/jpeg" });
}
