// How the labels of a model look, as the server says: colour, ink and line.

const OTHER = { colour: "#5e6472", ink: "#ffffff", dash: [] };

/** The colour of a label, what reads on it (and fills the gaps of its line), and its dashes in widths of the line. */
export function labelStyle(model, label) {
  const index = model.labels.indexOf(label);
  return index < 0 ? OTHER : { colour: model.colours[index], ink: model.inks[index], dash: model.dashes[index] };
}

/** How many faces there are of each label, in the model's order, without those that have none. */
export function tally(faces, model) {
  const labels = new Set([...model.labels, ...faces.map(({ label }) => label)]);
  const counts = [...labels].map((label) => ({ label, count: faces.filter((one) => one.label === label).length }));
  return counts.filter(({ count }) => count > 0);
}
