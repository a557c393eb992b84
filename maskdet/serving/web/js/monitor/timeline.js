// Hours side by side: stacked bars, a strip for each feature, and swaps as vertical lines.

import { drawing, svg } from "./svg.js";

const HOUR = 3600;
const LEFT = 44;
const BOTTOM = 20;
const TOP = 12;
const NARROWEST = 5;
const MARK_WIDTH = 48;

/** Hours of a view joined so that each has room: `step` seconds each, from `since` on. */
export function buckets(view, width) {
  const first = view.since;
  const count = Math.max(1, Math.ceil((view.until - first) / HOUR));
  const joined = [1, 2, 3, 6, 12, 24, 72, 168].find((hours) => ((width - LEFT) * hours) / count >= NARROWEST) ?? 168;
  const step = joined * HOUR;
  const made = Array.from({ length: Math.ceil(count / joined) }, (_, number) => empty(first + number * step));
  for (const hour of view.hours) {
    const bucket = made[Math.floor((hour.start - first) / step)];
    if (bucket) add(bucket, hour);
  }
  return { made, step, first };
}

function empty(start) {
  return { start, ok: 0, violation: 0, uncertain: 0, requests: 0, faults: 0, drift: {} };
}

function add(bucket, hour) {
  for (const name of ["ok", "violation", "uncertain", "requests", "faults"]) bucket[name] += hour[name];
  for (const [feature, verdict] of Object.entries(hour.drift)) bucket.drift[feature] = worse(bucket.drift[feature], verdict);
}

/** Of two verdicts the one that matters more: drift, else stable, else too few. */
function worse(one, other) {
  return ["drift", "stable", "too few"].find((verdict) => verdict === one || verdict === other);
}

export function pictures(bucket) {
  return bucket.ok + bucket.violation + bucket.uncertain;
}

/** series: [{tone, value(bucket)}], stacked from below; top: the value at the upper edge. */
export function bars({ width, height, label, slots, series, top, scale, swaps, time }) {
  const chart = drawing(width, height, label);
  const inner = height - BOTTOM - TOP;
  const step = (width - LEFT) / slots.made.length;
  for (const share of [0, 0.5, 1]) {
    const y = TOP + inner * (1 - share);
    chart.append(svg("line", { class: "axis", x1: LEFT, x2: width, y1: y, y2: y }));
    chart.append(svg("text", { x: LEFT - 6, y: y + 4, "text-anchor": "end" }, scale(top * share)));
  }
  slots.made.forEach((bucket, number) => {
    let y = TOP + inner;
    for (const { tone, value } of series) {
      const tall = top ? (value(bucket) / top) * inner : 0;
      if (tall <= 0) continue;
      y -= tall;
      const gap = step > 3 ? 1 : 0;
      chart.append(svg("rect", { class: `tone-${tone}`, x: LEFT + number * step, y, width: step - gap, height: tall }));
    }
  });
  chart.append(...hourMarks(width, height, slots, time), ...swapMarks(width, height, slots, swaps));
  return chart;
}

/** rows: [{name, feature}]. */
export function strips({ width, label, slots, rows, swaps, time, left }) {
  const high = 16;
  const height = TOP + rows.length * (high + 4) + BOTTOM;
  const chart = drawing(width, height, label);
  const step = (width - left) / slots.made.length;
  rows.forEach(({ name, feature }, row) => {
    const y = TOP + row * (high + 4);
    chart.append(svg("text", { x: left - 6, y: y + 12, "text-anchor": "end" }, name));
    slots.made.forEach((bucket, number) => {
      const verdict = bucket.drift[feature];
      if (!verdict) return;
      const tone = verdict === "too few" ? "few" : verdict;
      // A verdict also has a height, for those who do not tell the colours apart.
      const tall = { drift: high, stable: high / 2, few: 3 }[tone];
      const x = left + number * step;
      chart.append(svg("rect", { class: `tone-${tone}`, x, y: y + high - tall, width: Math.max(step - 1, 1), height: tall }));
    });
  });
  chart.append(...hourMarks(width, height, slots, time, left), ...swapMarks(width, height, slots, swaps, left));
  return chart;
}

/** A text where it changes, as far as there is room. */
function hourMarks(width, height, slots, time, left = LEFT) {
  const step = (width - left) / slots.made.length;
  const texts = slots.made.map((bucket) => time(bucket.start));
  const marks = texts.map((text, number) => ({ x: left + number * step, text }));
  let free = left;
  return marks
    .filter(({ x, text }, number) => {
      const fits = text !== texts[number - 1] && x >= free && x <= width - MARK_WIDTH;
      if (fits) free = x + 1.5 * MARK_WIDTH;
      return fits;
    })
    .map(({ x, text }) => svg("text", { x, y: height - 4 }, text));
}

function swapMarks(width, height, slots, swaps, left = LEFT) {
  const span = slots.made.length * slots.step;
  return swaps
    .filter(({ at }) => at >= slots.first && at <= slots.first + span)
    .map(({ at }) => {
      const x = left + ((at - slots.first) / span) * (width - left);
      return svg(
        "g",
        { class: "swap" },
        svg("line", { x1: x, x2: x, y1: 2, y2: height - BOTTOM }),
        svg("path", { d: `M${(x - 5).toFixed(1)} 0h10l-5 8z` }),
      );
    });
}
