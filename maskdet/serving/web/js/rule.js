// The server's rule (detector/answer.py and detector/verdict.py) on this side, so that a slider needs no request.
//
// Its arithmetic is the server's, so its results are too: scores and thresholds are single precision (Math.fround),
// overlaps are double. The candidates of a response have enough digits for that.

const SAME_FACE_IOU = 0.5;
const LEAST_THRESHOLD = Math.fround(1e-6);
/** Threshold of a label that only a newly swapped model has. */
const UNKNOWN = 0.5;

/** The candidates over the threshold of their label, each face once; best score first, as they came. */
export function answer(candidates, thresholds) {
  const sure = candidates.filter((one) => single(one.score) >= limitOf(one, thresholds));
  const left = new Set([...sure].sort((a, b) => certainty(b, thresholds) - certainty(a, thresholds)));
  for (const best of left) {
    for (const other of left) if (other !== best && sameFace(best, other)) left.delete(other);
  }
  return sure.filter((one) => left.has(one));
}

/**
 * The verdict at these thresholds: violation, uncertain or ok, with counts by label. sure: the answer;
 * rule: the labels, those that break it, those without a role, and the band of doubt.
 */
export function judge(candidates, sure, thresholds, rule) {
  const { labels, violation_labels: violations, unknown_labels: unknown, band } = rule;
  const counts = Object.fromEntries(labels.map((label) => [label, 0]));
  for (const one of sure) counts[one.label] = (counts[one.label] ?? 0) + 1;
  if (violations.some((label) => counts[label])) return { outcome: "violation", counts };
  if (unknown.some((label) => counts[label])) return { outcome: "uncertain", counts };
  const near = candidates.filter((one) => leavesDoubt(single(one.score), limitOf(one, thresholds), band));
  const doubt = near.some((one) => !sure.some((other) => sameFace(one, other)));
  return { outcome: doubt ? "uncertain" : "ok", counts };
}

function leavesDoubt(score, limit, band) {
  return score < limit && score >= single(limit - single(band));
}

/** Score over the threshold of its label: a threshold states how much evidence a label needs. */
function certainty(one, thresholds) {
  return single(single(one.score) / Math.max(limitOf(one, thresholds), LEAST_THRESHOLD));
}

function limitOf({ label }, thresholds) {
  return single(thresholds[label] ?? UNKNOWN);
}

/** Whether two boxes count as one face. */
function sameFace(one, other) {
  const [a, b] = [one.box.map(single), other.box.map(single)];
  const wide = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const high = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  const shared = Math.max(0, wide) * Math.max(0, high);
  return shared > SAME_FACE_IOU * (area(a) + area(b) - shared);
}

function area(box) {
  return (box[2] - box[0]) * (box[3] - box[1]);
}

const single = Math.fround;
