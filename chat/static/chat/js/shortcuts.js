// Keyboard shortcuts, the ones that people know from other chats. Each presses or reaches what is on the page
// anyway. Those of a single character work outside of text fields only, and can be switched off: they get in
// the way of speech input (WCAG 2.1.4).

import { $ } from "./dom.js";
import { load, save } from "./frame.js";

const TEXT_FIELDS = "input, textarea, select";
const isMac = /mac|iphone|ipad/i.test(navigator.userAgentData?.platform ?? navigator.platform);

/** Presses the last button of its kind that is there to be pressed. */
const pressLast = (what) => [...document.querySelectorAll(`#view [data-do="${what}"]`)].findLast((b) => !b.closest("[hidden]"))?.click();

/** "Ctrl+Shift+o", "?", "ArrowUp": as the keys of `actions` below. Ctrl also stands for a Mac's ⌘. */
function nameOf({ key, ctrlKey, metaKey, altKey, shiftKey }) {
  if (altKey) return "";
  const letter = key.length === 1 ? key.toLowerCase().replace(":", ";") : key;
  if (!ctrlKey && !metaKey) return letter;
  // What a sign needs Shift for differs from keyboard to keyboard.
  return `Ctrl+${shiftKey && letter !== "/" ? "Shift+" : ""}${letter}`;
}

export function shortcuts({ frame, onStop, onWrite }) {
  const dialog = $("#shortcuts");
  const field = $("#message");
  const single = $("#single-keys");
  single.checked = load("buddy.keys", "on") === "on";
  single.addEventListener("change", () => save("buddy.keys", single.checked ? "on" : "off"));
  if (isMac) for (const key of dialog.querySelectorAll("kbd")) key.textContent = key.textContent.replace("Ctrl", "⌘");

  const show = () => dialog.showModal();
  const actions = {
    "Ctrl+k"() {
      frame.open();
      $("#find").focus();
    },
    "Ctrl+Shift+o": () => $("#sidebar [data-do=new]").click(),
    "Ctrl+Shift+;": () => pressLast("copy"),
    "Ctrl+/": show,
    Escape: () => (frame.isOpen() ? frame.close() : onStop()),
    "/": onWrite,
    "?": show,
    ArrowUp: () => pressLast("edit"),
  };

  function isMeant(name, { target }) {
    if (name === "ArrowUp") return target === field && !field.value;
    return name.length > 1 || (single.checked && !target.closest(TEXT_FIELDS));
  }

  document.addEventListener("keydown", (event) => {
    const name = nameOf(event);
    if (event.defaultPrevented || event.isComposing || document.querySelector("dialog[open]")) return;
    if (!Object.hasOwn(actions, name) || !isMeant(name, event)) return;
    if (name !== "Escape") event.preventDefault();
    actions[name]();
  });
  return { show };
}
