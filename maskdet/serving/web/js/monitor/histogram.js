// A feature's shares on val and as seen, bin by bin.

import { drawing, svg } from "./svg.js";

const HEIGHT = 96;
const BOTTOM = 16;
const WIDTH = 260;

/** label: the description; name(label): a label in words; edge(number): an edge in words. */
export function histogram(feature, { label, name, edge }) {
  const chart = drawing(WIDTH, HEIGHT, label);
  const places = filled(feature);
  const shares = [shareOf(feature.expected), shareOf(feature.seen)];
  const top = Math.max(...shares.flat(), 1e-9);
  const step = WIDTH / Math.max(places.length, 1);
  const inner = HEIGHT - BOTTOM;
  places.forEach((place, column) => {
    shares.forEach((values, number) => {
      const tall = (values[place] / top) * inner;
      const x = column * step + number * step * 0.45;
      const tone = number ? "seen" : "val";
      chart.append(svg("rect", { class: `tone-${tone}`, x, y: inner - tall, width: step * 0.42, height: tall }));
    });
  });
  chart.append(svg("line", { class: "axis", x1: 0, x2: WIDTH, y1: inner, y2: inner }));
  chart.append(...marks(feature, places, step, name, edge));
  return chart;
}

/** Bins that either side has, and those between. */
function filled(feature) {
  const places = feature.expected.map((_, place) => place);
  if (feature.labels.length) return places;
  const used = places.filter((place) => feature.expected[place] || feature.seen[place]);
  return used.length ? places.slice(used[0], used.at(-1) + 1) : [];
}

function shareOf(counts) {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => (total ? count / total : 0));
}

function marks(feature, places, step, name, edge) {
  const at = (x, text, anchor) => svg("text", { x, y: HEIGHT - 3, "text-anchor": anchor }, text);
  if (feature.labels.length) {
    return places.map((place) => at((place + 0.45) * step, name(feature.labels[place]), "middle"));
  }
  if (!places.length) return [];
  const low = places[0] ? feature.edges[places[0] - 1] : null;
  const high = feature.edges[places.at(-1)] ?? null;
  return [
    at(0, low === null ? `< ${edge(feature.edges[0])}` : edge(low), "start"),
    at(WIDTH, high === null ? `≥ ${edge(feature.edges.at(-1))}` : edge(high), "end"),
  ];
}
