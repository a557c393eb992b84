"use strict";
const root = document.documentElement;
const language = document.getElementById("language");

function speak(code) {
  root.dataset.lang = code;
  root.lang = code === "zh" ? "zh-CN" : "en";
  language.textContent = code === "zh" ? "English" : "中文";
  language.lang = code === "zh" ? "en" : "zh-CN";
}

function show(kind) {
  for (const button of document.querySelectorAll(".filters button")) {
    button.setAttribute("aria-pressed", String(button.dataset.kind === kind));
  }
  for (const card of document.querySelectorAll(".card")) {
    card.hidden = kind !== "all" && card.dataset.kind !== kind;
  }
}

language.addEventListener("click", () => speak(root.dataset.lang === "zh" ? "en" : "zh"));
for (const button of document.querySelectorAll(".filters button")) {
  button.addEventListener("click", () => show(button.dataset.kind));
}
speak(navigator.language.startsWith("zh") ? "zh" : "en");
