// Filters and judges on this side as the server does, so that a slider needs no request.

const SAME_FACE_IOU = 0.5;
/** Threshold of a label that only a just swapped model has. */
const UNKNOWN = 0.5;

/** The candidates that reach the threshold of their label, best first. */
export function above(candidates, thresholds) {
  return candidates.filter((one) => one.score >= (thresholds[one.label] ?? UNKNOWN));
}

/**
 * The verdict on all candidates at these thresholds: violation, uncertain or ok, with counts by label.
 * Doubt is left by a face of a label of which nobody said whether it keeps the rule, and by a face in the band
 * below its threshold, unless a sure one covers it.
 */
export function judge(candidates, thresholds, model, band) {
  const sure = above(candidates, thresholds);
  const counts = Object.fromEntries(model.labels.map((label) => [label, 0]));
  for (const one of sure) counts[one.label] = (counts[one.label] ?? 0) + 1;
  if (model.violation_labels.some((label) => counts[label])) return { outcome: "violation", counts };
  if (model.unknown_labels.some((label) => counts[label])) return { outcome: "uncertain", counts };
  const near = candidates.filter((one) => {
    const limit = thresholds[one.label] ?? UNKNOWN;
    return one.score < limit && one.score >= limit - band;
  });
  const doubt = near.some((one) => !sure.some((other) => iou(one.box, other.box) >= SAME_FACE_IOU));
  return { outcome: doubt ? "uncertain" : "ok", counts };
}

function iou(a, b) {
  const wide = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const high = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  const shared = Math.max(0, wide) * Math.max(0, high);
  const union = area(a) + area(b) - shared;
  return union > 0 ? shared / union : 0;
}

function area(box) {
  return (box[2] - box[0]) * (box[3] - box[1]);
}
