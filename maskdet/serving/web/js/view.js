// The view of a result: the faces over the thresholds, the verdict, and both as JSON.

import { answer, judge } from "./rule.js";

/**
 * {faces, verdict, model, thresholds} of a picture; null without a result. At the thresholds of the server's response
 * faces and verdict are the server's own; at others they are computed from its candidates by the same rule.
 */
export function viewOf(picture, thresholds, model, band) {
  if (!picture?.answer) return null;
  const { detections, candidates, verdict, model: answerer } = picture.answer;
  // Thresholds of another bundle say nothing about this answer: it stands until the page has those of its own.
  const unknown = answerer.bundle !== model.bundle;
  const asked = unknown || model.labels.every((one) => thresholds[one] === model.thresholds[one]);
  if (asked) return { faces: detections, verdict, model, thresholds };
  const faces = answer(candidates, thresholds);
  return { faces, verdict: judge(candidates, faces, thresholds, { ...model, band }), model, thresholds };
}

/** A face as in the API: the score to 4 digits, the box to a hundredth of a pixel. */
export function said({ label, score, box }) {
  return { label, score: Number(score.toFixed(4)), box: box.map((edge) => Number(edge.toFixed(2))) };
}

/** What the user sees and saves of it, in the API's own terms. */
export function jsonValue(picture, view) {
  if (!view) return null;
  const { width, height, model, timing_ms } = picture.answer;
  const { faces, verdict, thresholds } = view;
  const detections = faces.map(said);
  return { picture: picture.name, width, height, thresholds, detections, verdict, model, timing_ms };
}
