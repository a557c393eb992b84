// The look of a model's labels, from the server: colour, ink and line.

const OTHER = { colour: "#5e6472", ink: "#ffffff", dash: [] };

/** The colour of a label, a legible ink (also for the gaps of its line), and its dashes in line widths. */
export function labelStyle(model, label) {
  const index = model.labels.indexOf(label);
  return index < 0 ? OTHER : { colour: model.colours[index], ink: model.inks[index], dash: model.dashes[index] };
}

/** Faces per label, in the model's order, without labels that have none. */
export function tally(faces, model) {
  const labels = new Set([...model.labels, ...faces.map(({ label }) => label)]);
  const counts = [...labels].map((label) => ({ label, count: faces.filter((one) => one.label === label).length }));
  return counts.filter(({ count }) => count > 0);
}
