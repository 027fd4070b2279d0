// Keyboard shortcuts, the ones known from other chats. Each presses or reaches something on the page. Those
// of a single character work outside of text fields only, and can be switched off: they disturb speech
// input (WCAG 2.1.4).

import { device } from "./device/storage.js";
import { $ } from "./views/dom.js";

const TEXT_FIELDS = "input, textarea, select";
const isMac = /mac|iphone|ipad/i.test(navigator.userAgentData?.platform ?? navigator.platform);

/** Connect the shortcuts; `show()` opens the list of them. */
export function createShortcuts({ drawer, onStop, onWrite }) {
  const dialog = $("#shortcuts");
  const single = $("#single-keys");
  connectOptions(dialog, single);
  const show = () => dialog.showModal();
  const actions = {
    "Ctrl+k"() {
      drawer.open();
      $("#find").focus();
    },
    "Ctrl+Shift+o": () => $("#sidebar [data-do=new]").click(),
    "Ctrl+Shift+;": () => pressLast("copy"),
    "Ctrl+/": show,
    Escape: () => (drawer.isOpen() ? drawer.close() : onStop()),
    "/": onWrite,
    "?": show,
    ArrowUp: () => pressLast("edit"),
  };
  document.addEventListener("keydown", (event) => {
    const name = nameOf(event);
    if (event.defaultPrevented || event.isComposing || document.querySelector("dialog[open]")) return;
    if (!Object.hasOwn(actions, name) || !isMeant(name, event, single.checked)) return;
    if (name !== "Escape") event.preventDefault();
    actions[name]();
  });
  return { show };
}

function connectOptions(dialog, single) {
  single.checked = device.get("buddy.keys") !== "off";
  single.addEventListener("change", () => device.set("buddy.keys", single.checked ? "on" : "off"));
  if (isMac) for (const key of dialog.querySelectorAll("kbd")) key.textContent = key.textContent.replace("Ctrl", "⌘");
}

/** Return the name of the keys, as in `actions`: "Ctrl+Shift+o", "?", "ArrowUp". Ctrl also means ⌘. */
function nameOf({ key, ctrlKey, metaKey, altKey, shiftKey }) {
  if (altKey) return "";
  const letter = key.length === 1 ? key.toLowerCase().replace(":", ";") : key;
  if (!ctrlKey && !metaKey) return letter;
  // Which signs need Shift depends on the keyboard.
  return `Ctrl+${shiftKey && letter !== "/" ? "Shift+" : ""}${letter}`;
}

function isMeant(name, { target }, singleKeys) {
  const field = $("#message");
  if (name === "ArrowUp") return target === field && !field.value;
  return name.length > 1 || (singleKeys && !target.closest(TEXT_FIELDS));
}

/** Press the last visible button of its kind. */
const pressLast = (what) =>
  [...document.querySelectorAll(`#view [data-do="${what}"]`)].findLast((b) => !b.closest("[hidden]"))?.click();
