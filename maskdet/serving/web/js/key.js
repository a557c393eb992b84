// The dialog that asks for the API key.

import { ApiError } from "./api.js";

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
        else reject(new ApiError("unauthorised", "no key was given"));
      },
      { once: true },
    );
  });
}
