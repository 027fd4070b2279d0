// Keyboard shortcuts, the ones known from other chats. Each presses or reaches something on the page. Those
// of a single character work outside of text fields only, and can be switched off: they disturb speech
// input (WCAG 2.1.4).

import { device } from "./device/storage.js";
import { closeByEscape, FIELDS, isPageOrComposer } from "./keys.js";
import { $ } from "./views/dom.js";

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
      $("#find").select();
    },
    "Ctrl+Shift+o": () => $("#sidebar [data-do=new]").click(),
    "Ctrl+Shift+;": () => pressLast("copy"),
    "Ctrl+Shift+Enter": () => pressLast("regenerate"),
    "Ctrl+/": show,
    Escape: ({ target }) => closeByEscape(target) || (isPageOrComposer(target) && onStop()),
    "/": onWrite,
    "?": show,
    ArrowUp: () => pressLast("edit"),
  };
  document.addEventListener("keydown", (event) => {
    const name = nameOf(event);
    if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
    if (Object.hasOwn(actions, name) && isMeant(name, event, single.checked)) {
      event.preventDefault();
      if (!event.repeat) actions[name](event);
    } else if (single.checked && isText(event) && isPage(event.target)) onWrite(); // the letter itself follows
  });
  return { show };
}

function connectOptions(dialog, single) {
  single.checked = device.get("buddy.keys") !== "off";
  single.addEventListener("change", () => device.set("buddy.keys", single.checked ? "on" : "off"));
  if (isMac) for (const key of dialog.querySelectorAll("kbd")) key.textContent = key.textContent.replace("Ctrl", "⌘");
}

/** Return the name of the keys, as in `actions`: "Ctrl+Shift+o", "?", "ArrowUp". On a Mac, Ctrl means ⌘. */
function nameOf({ key, code, ctrlKey, metaKey, altKey, shiftKey }) {
  if (altKey || (isMac ? ctrlKey : metaKey)) return "";
  if (!ctrlKey && !metaKey) return key.length === 1 ? key.toLowerCase() : key;
  // Keyboards of other scripts have no "k". Which signs need Shift depends on the keyboard.
  const letter = /^[^\0-\x7f]$/.test(key) ? code.replace("Key", "") : key;
  const name = letter.length === 1 ? letter.toLowerCase().replace(":", ";") : letter;
  return `Ctrl+${shiftKey && name !== "/" ? "Shift+" : ""}${name}`;
}

const isText = ({ key, ctrlKey, metaKey, altKey }) => /^\S$/u.test(key) && !ctrlKey && !metaKey && !altKey;

/** Return whether nothing that has a use for letters is focused. */
const isPage = (target) => target === document.body || target.matches("#content, .message, [name=companion]");

function isMeant(name, { target }, singleKeys) {
  const field = $("#message");
  if (name === "ArrowUp") return target === field && !field.value;
  return name.length > 1 || (singleKeys && !target.closest(FIELDS));
}

/** Press the last visible button of its kind. */
const pressLast = (what) =>
  [...document.querySelectorAll(`#view [data-do="${what}"]`)].findLast((b) => !b.closest("[hidden]"))?.click();
