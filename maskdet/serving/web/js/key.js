// The dialog that asks for the API key, and the offer to give another one.

import { ApiError } from "./api.js";
import { t } from "./i18n.js";

const OFFERS = { insufficient_scope: "otherKey", no_key: "enterKey" };

/** Whether the user can mend an error with another key. */
export function needsKey(error) {
  return Object.hasOwn(OFFERS, error?.code);
}

/** Show the button in `place` if another key may mend the error. */
export function offerKey(place, error) {
  place.hidden = !needsKey(error);
  if (place.hidden) return;
  const button = place.querySelector("button");
  button.dataset.i18n = OFFERS[error.code];
  button.textContent = t(button.dataset.i18n);
}

/** Resolves to the typed key; rejects if the dialog was closed without one. */
export function askKey(dialog, wasWrong) {
  const input = dialog.querySelector("input");
  dialog.querySelector("[role=alert]").hidden = !wasWrong;
  input.value = "";
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve, reject) => {
    dialog.addEventListener(
      "close",
      () => {
        const key = input.value.trim();
        input.value = "";
        if (dialog.returnValue === "given" && key) resolve(key);
        else reject(new ApiError("no_key", "no key was given"));
      },
      { once: true },
    );
  });
}
