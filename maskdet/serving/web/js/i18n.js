// The page's texts: two languages, following the browser until the user switches.

import { en } from "./en.js";
import { zh } from "./zh.js";

const TEXTS = { en, zh };
const TAGS = { en: "en", zh: "zh-CN" };
const STORED = "maskdet-language";

let language = "en";

/** Texts of a page of its own: {en, zh}. */
export function addTexts(more) {
  for (const [name, texts] of Object.entries(more)) Object.assign(TEXTS[name], texts);
}

/** The text for a key; with `values.count` its plural form. Unknown keys are shown as they are. */
export function t(key, values = {}) {
  const texts = TEXTS[language];
  const form = "count" in values ? `${key}.${new Intl.PluralRules(TAGS[language]).select(values.count)}` : key;
  const text = texts[form] ?? texts[`${key}.other`] ?? texts[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** A model's label in plain words, if there are any. */
export function labelName(label) {
  return Object.hasOwn(TEXTS[language], label) && label.includes("mask") ? TEXTS[language][label] : label;
}

/** A server's error in plain words. */
export function errorText(error, values = {}) {
  const key = `error.${error.code}`;
  const known = key in TEXTS[language] ? key : "error.unknown";
  return t(known, { message: error.message, scope: error.scope, ...values });
}

/** For the browser's formats of numbers and times. */
export function languageTag() {
  return TAGS[language];
}

export function setLanguage(wanted, { keep = false } = {}) {
  language = wanted in TEXTS ? wanted : "en";
  if (keep) remember(language);
  document.documentElement.lang = TAGS[language];
  document.title = t(document.body.dataset.title ?? "title");
  for (const element of document.querySelectorAll("[data-i18n]")) element.textContent = t(element.dataset.i18n);
  for (const element of document.querySelectorAll("[data-i18n-label]")) {
    element.setAttribute("aria-label", t(element.dataset.i18nLabel));
  }
  for (const button of document.querySelectorAll("[data-language]")) {
    button.setAttribute("aria-pressed", String(button.dataset.language === language));
  }
}

/** The user's earlier choice, else the first of the browser's languages that the page has. */
export function preferredLanguage() {
  const wanted = [remembered(), ...(navigator.languages ?? [navigator.language])];
  return wanted.map((tag) => String(tag).slice(0, 2).toLowerCase()).find((tag) => tag in TEXTS) ?? "en";
}

// Storage may be blocked; then the choice lasts as long as the page.
function remember(value) {
  try {
    localStorage.setItem(STORED, value);
  } catch {
    return;
  }
}

function remembered() {
  try {
    return localStorage.getItem(STORED) ?? "";
  } catch {
    return "";
  }
}
