"use strict";
{
  const buttons = document.querySelectorAll("button[data-lang]");
  const show = (language) => {
    document.documentElement.lang = language;
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.lang === language));
  };
  for (const button of buttons) button.addEventListener("click", () => show(button.dataset.lang));
  if (navigator.language.startsWith("zh")) show("zh-CN");
  for (const slider of document.querySelectorAll(".duel input")) {
    const stack = slider.closest(".duel").querySelector(".stack");
    slider.addEventListener("input", () => stack.style.setProperty("--cut", `${slider.value}%`));
  }
}
