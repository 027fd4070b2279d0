// The few DOM helpers everybody uses. Text goes in as text; see `setServerHtml` for the one exception.

export const $ = (selector, root = document) => root.querySelector(selector);

export const clone = (id) => $(`#tpl-${id}`).content.firstElementChild.cloneNode(true);

/** Writes only what changed, so that screen readers, selections and animations are left in peace. */
export function setText(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

export const fill = (root, slots) => {
  for (const [name, text] of Object.entries(slots)) setText($(`[data-slot="${name}"]`, root), text);
};

/** The only innerHTML of the page: Markdown the server has rendered and sanitised. */
export function setServerHtml(element, html) {
  element.innerHTML = html;
  for (const link of element.querySelectorAll("a[href]")) {
    link.target = "_blank";
    link.rel = "noopener noreferrer";
  }
  for (const pre of element.querySelectorAll("pre")) {
    wrap(pre, "code").append(clone("code"));
    makeScrollable(pre, "Code");
  }
  for (const table of element.querySelectorAll("table")) makeScrollable(wrap(table, "table"), "Table");
}

function wrap(element, className) {
  const box = document.createElement("div");
  box.className = className;
  element.replaceWith(box);
  box.append(element);
  return box;
}

/** What may scroll sideways must be reachable by keyboard. */
function makeScrollable(element, label) {
  element.tabIndex = 0;
  element.setAttribute("role", "group");
  element.setAttribute("aria-label", label);
}

export async function copyText(text, button) {
  const label = $("span", button);
  const before = label.textContent;
  try {
    await navigator.clipboard.writeText(text);
    label.textContent = "Copied";
  } catch {
    label.textContent = "Copying is not allowed here";
  }
  setTimeout(() => (label.textContent = before), 2000);
}
