// The ways in: drop, paste, choose, samples. All yield files.

/** onFiles(files) gets the user's files, which may not all be pictures. */
export function listen({ input, veil, onFiles }) {
  input.addEventListener("change", () => {
    onFiles([...input.files]);
    // So that the same file can be chosen again.
    input.value = "";
  });
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length) onFiles(files);
  });
  listenForDrops(veil, onFiles);
}

/** A sample as a file; null if it cannot be fetched. */
export async function sample(name) {
  const response = await fetch(`web/samples/${name}`).catch(() => null);
  if (!response?.ok) return null;
  return new File([await response.blob()], name, { type: "image/jpeg" });
}

function listenForDrops(veil, onFiles) {
  // dragenter and dragleave also fire for every element crossed, so they are counted.
  let depth = 0;
  const show = () => {
    veil.hidden = depth <= 0;
  };
  document.addEventListener("dragenter", (event) => {
    depth += hasFiles(event) ? 1 : 0;
    show();
  });
  document.addEventListener("dragleave", (event) => {
    depth -= hasFiles(event) ? 1 : 0;
    show();
  });
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    depth = 0;
    show();
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length) onFiles(files);
  });
}

function hasFiles(event) {
  return [...(event.dataTransfer?.types ?? [])].includes("Files");
}
