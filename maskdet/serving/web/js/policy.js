// Which policy chose the thresholds in force, and what they cost.

import { labelName, t } from "./i18n.js";

const TEXTS = {
  safe: "policySafe",
  "best-f1": "policyBestF1",
  recall: "policyRecall",
  promise: "policyPromise",
  given: "policyGiven",
};

/** The policy of the model whose thresholds these are, or a note that the user has set others. */
export function policyText({ model, values }) {
  const own = Object.entries(model.thresholds).every(([label, score]) => values[label] === score);
  const policy = named(model.threshold_policy);
  if (!own) return t("policyOverride", { policy });
  const shares = Object.entries(model.recall).map(([label, share]) => `${labelName(label)} ${percent(share)}`);
  return shares.length ? t("policyCost", { policy, shares: shares.join(t("comma")) }) : t("policyCostUnknown", { policy });
}

function named({ name, parameter }) {
  return t(TEXTS[name] ?? "policyUnknown", { share: parameter === null ? "?" : percent(parameter) });
}

function percent(share) {
  return `${Number((100 * share).toFixed(1))}%`;
}
