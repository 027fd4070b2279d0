// The card above the composer that shows a recording on its way to text.

import { VOICE } from "../../text/voice-wording.js";
import { $, fill, setText } from "../dom.js";

/** Create the card; `draw(state)` shows the state of voice.js. */
export function createVoiceCard() {
  const element = $("#voice");
  return {
    draw: (state) => draw(element, state),
    setLevel: (level) => ($("meter", element).value = level),
    hasFocus: () => element.contains(document.activeElement),
    /** Focus the first visible button, or the composer if there is none. */
    focus() {
      const buttons = [...element.querySelectorAll("button")];
      (buttons.find((button) => button.offsetParent) ?? $("#message")).focus();
    },
    onClick(handler) {
      element.addEventListener("click", ({ target }) => handler(target.closest("[data-voice]")?.dataset.voice));
    },
  };
}

function draw(element, state) {
  const { kind, share, again, origin } = state;
  element.hidden = kind === "idle";
  if (element.hidden) return;
  const [head, sub] = VOICE[kind](state);
  fill(element, { head, sub });
  element.dataset.kind = kind;
  $("progress", element).value = share ?? 0;
  for (const name of ["edit", "send"]) button(element, name).hidden = kind !== "recording";
  button(element, "again").hidden = kind !== "failed" || !again;
  setText(
    button(element, "close"),
    { failed: again && origin?.file ? "Delete" : "Close", recording: "Delete" }[kind] ?? "Cancel",
  );
}

const button = (element, name) => $(`[data-voice=${name}]`, element);
