// What the page makes of an answer: the faces over the thresholds, the verdict, and both as JSON.

import { above, judge } from "./judge.js";

/** {faces, verdict, model} of a picture; null without an answer. */
export function viewOf(picture, thresholds, model, band) {
  if (!picture?.answer) return null;
  const { candidates } = picture.answer;
  return { faces: above(candidates, thresholds), verdict: judge(candidates, thresholds, model, band), model };
}

/** What a person sees and saves of it, in the API's own terms. */
export function jsonValue(picture, view, thresholds) {
  if (!view) return null;
  const { width, height, model, timing_ms } = picture.answer;
  const { faces: detections, verdict } = view;
  return { picture: picture.name, width, height, thresholds, detections, verdict, model, timing_ms };
}
