// DOM helpers. Text goes in as text; the only exceptions are html-patch.js and care.js.

export const $ = (selector, root = document) => root.querySelector(selector);

/** Return a new element with these properties. */
export const create = (name, properties) => Object.assign(document.createElement(name), properties);

/** Return a copy of the template `tpl-id`. */
export const clone = (id) => $(`#tpl-${id}`).content.firstElementChild.cloneNode(true);

/** Make `child` number `index` of `parent`; do not touch it if it is there. Older browsers lose the focus of what they move. */
export function placeAt(parent, child, index) {
  const there = parent.children[index] ?? null;
  if (there === child) return;
  if (parent.moveBefore && child.parentElement === parent) parent.moveBefore(child, there);
  else parent.insertBefore(child, there);
}

/** Write `text` only if it changed, so that screen readers, selections and animations are not disturbed. */
export function setText(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

/** Write texts into the [data-slot] elements below `root`. */
export const fill = (root, slots) => {
  for (const [name, text] of Object.entries(slots)) setText($(`[data-slot="${name}"]`, root), text);
};

/** Insert text where the visitor was writing, so that it can be undone. */
export function write(text, field) {
  field.focus();
  document.execCommand("insertText", false, text);
}

/** Return whether the click asks for a new tab, which the browser opens. */
export const isNewTab = ({ ctrlKey, metaKey, shiftKey }) => ctrlKey || metaKey || shiftKey;

/** Copy `text`, show the result on the button for a moment, and return it. */
export async function copyText(text, button) {
  const label = $("span", button);
  const before = (button.dataset.label ??= label.textContent); // pressed twice, the label is "Copied" already
  const isCopied = await writeToClipboard(text).catch(async () =>
    (await import("./copy-selected.js")).copySelected(text),
  );
  label.textContent = isCopied ? "Copied" : "Copying is not allowed";
  setTimeout(() => (label.textContent = before), 2000);
  return label.textContent;
}

async function writeToClipboard(text) {
  await navigator.clipboard.writeText(text);
  return true;
}

/** Open a dialog and call `onConfirm` if it is closed with its button "confirm". */
export function confirmWith(dialog, onConfirm) {
  dialog.returnValue = "cancel";
  dialog.showModal();
  dialog.onclose = () => dialog.returnValue === "confirm" && onConfirm();
}
