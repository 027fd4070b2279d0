// Keys and focus, for all views: what belongs to an input method, what sends, what Escape and a click elsewhere
// close, and where the focus goes when its element disappears.
//
// What can be closed has data-dismiss in its template: `menu`, `drawer`, `form`, or `self` for what closes
// nothing else. It receives the event "dismiss".

import { $ } from "./views/dom.js";

const touchOnly = matchMedia("(hover: none) and (pointer: coarse)");
/** What takes letters, or has its own use for keys. */
export const FIELDS = "textarea, select, input:not([name=companion], [type=file])";

// Before all other listeners: a key that ends or changes a word of an input method is not a key for the page.
// Safari reports it when the composition has ended already, with keyCode 229.
window.addEventListener(
  "keydown",
  (event) => {
    const isComposing = event.isComposing || event.keyCode === 229;
    const isHeld = event.repeat && event.key === "Enter" && !event.target.closest(FIELDS); // pressed once
    if (isComposing) event.stopImmediatePropagation();
    // The browser itself would clear a search field, close a dialog or press a button again.
    if (isHeld || (isComposing && event.key === "Escape")) event.preventDefault();
  },
  true,
);

/**
 * Call `send` when Enter is pressed in `field`. With Shift or Alt it starts a new line; on touch keyboards, which
 * have no useful Shift, also without, and the button sends.
 */
export function onSendKey(field, send) {
  field.addEventListener("keydown", (event) => {
    const { key, shiftKey, altKey, ctrlKey, metaKey, repeat } = event;
    if (key !== "Enter" || shiftKey || altKey || (touchOnly.matches && !ctrlKey && !metaKey)) return;
    event.preventDefault();
    if (!repeat) send();
  });
}

/** Focus `field`, or on touch screens `content`: there the keyboard comes only for those who tap the field. */
export function focusToWrite(field, content) {
  const isField = !field.disabled && (!touchOnly.matches || document.activeElement === field);
  (isField ? field : content).focus({ preventScroll: true });
}

/** Do `work`. What had the focus keeps it when it is moved; when it disappears, call `otherwise`. */
export function keepFocus(work, otherwise) {
  const before = document.activeElement;
  work();
  if (before === document.body || isFocused(before) || isFocused(document.activeElement)) return;
  if (before.isConnected) before.focus({ preventScroll: true });
  if (!isFocused(document.activeElement)) otherwise();
}

const isFocused = (element) =>
  element === document.activeElement && element !== document.body && !element.disabled && element.checkVisibility();

// --- closing ---

const dismiss = (element) => element.dispatchEvent(new Event("dismiss"));
const open = (kind) => [...document.querySelectorAll(`[data-dismiss=${kind}]`)].filter((e) => e.checkVisibility());

/**
 * Close what Escape is meant for: an open menu, what has the focus, the drawer, another open form. Return whether
 * there was something. A form in which something was written gets the focus first, so that it is not lost by mistake.
 */
export function closeByEscape(target) {
  const inner =
    open("menu").at(-1) ?? target.closest("[data-dismiss]") ?? $("[data-drawer=open] [data-dismiss=drawer]");
  const form = inner ? null : open("form").at(-1);
  const changed = form && [...form.elements].find(isChanged);
  if (changed) changed.focus();
  else if (inner ?? form) dismiss(inner ?? form);
  return Boolean(inner ?? form);
}

const isChanged = (field) =>
  field.value !== (field.defaultValue ?? field.value) || field.checked !== field.defaultChecked;

/** Return whether Escape may stop an answer: from the message field and from the page, not from other fields. */
export const isPageOrComposer = (target) =>
  target === document.body ||
  (Boolean(target.closest("#main")) && (target.id === "message" || !target.closest(FIELDS)));

for (const name of ["pointerdown", "focusin"]) {
  document.addEventListener(
    name,
    ({ target }) => {
      for (const menu of open("menu")) if (!menu.parentElement.contains(target)) dismiss(menu);
    },
    true,
  );
}

// A dialog closes when it is pressed and released outside of it, as by Escape: it does not confirm.
let pressed = null;
document.addEventListener("pointerdown", (event) => (pressed = dialogAround(event)));
document.addEventListener("click", (event) => pressed && dialogAround(event) === pressed && pressed.close());

/** Return the dialog whose backdrop was pressed. */
function dialogAround({ target, clientX: x, clientY: y }) {
  if (target.nodeName !== "DIALOG") return null;
  const { left, right, top, bottom } = target.getBoundingClientRect();
  return x < left || x > right || y < top || y > bottom ? target : null;
}
