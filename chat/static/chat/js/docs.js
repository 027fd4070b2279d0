// The API's page: in the theme that was chosen for the chat, with the names and the tab stops that Swagger UI lacks.
// A classic script: the theme is set before the first paint.

const chosen = document.documentElement.dataset.theme;
const dark = chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
document.documentElement.classList.toggle("dark-mode", dark);

const names = {
  textarea: "Request body",
  ".copy-to-clipboard button": "Copy",
  ".close-modal": "Close",
};
new MutationObserver(() => {
  // What may scroll must be reachable by keyboard.
  for (const code of document.querySelectorAll("pre.microlight:not([tabindex])")) code.tabIndex = 0;
  // Below the name of the site there is no heading of the second level.
  for (const tag of document.querySelectorAll("h3.opblock-tag:not([aria-level])")) tag.ariaLevel = "2";
  for (const [selector, name] of Object.entries(names)) {
    for (const element of document.querySelectorAll(`${selector}:not([aria-label])`))
      element.setAttribute("aria-label", name);
  }
}).observe(document.documentElement, { childList: true, subtree: true });
