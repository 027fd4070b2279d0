// The few DOM helpers everybody uses. Text goes in as text; the exception is in prose.js.

export const $ = (selector, root = document) => root.querySelector(selector);

export const clone = (id) => $(`#tpl-${id}`).content.firstElementChild.cloneNode(true);

/** Writes only what changed, so that screen readers, selections and animations are left in peace. */
export function setText(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

export const fill = (root, slots) => {
  for (const [name, text] of Object.entries(slots)) setText($(`[data-slot="${name}"]`, root), text);
};

/** Copies, and says on the button, for a moment, whether it worked; returns those words. */
export async function copyText(text, button) {
  const label = $("span", button);
  const before = (button.dataset.words ??= label.textContent); // pressed twice, the label says "Copied" already
  try {
    await navigator.clipboard.writeText(text);
    label.textContent = "Copied";
  } catch {
    label.textContent = "Copying is not allowed here";
  }
  setTimeout(() => (label.textContent = before), 2000);
  return label.textContent;
}
