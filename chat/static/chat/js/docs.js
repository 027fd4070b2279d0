// The API's page: in the theme that was chosen for the chat, with the names and the tab stops that Swagger UI lacks.
// A classic script: the theme is set before the first paint.

const chosen = document.documentElement.dataset.theme;
const system = matchMedia("(prefers-color-scheme: dark)");
const setTheme = () =>
  document.documentElement.classList.toggle("dark-mode", chosen ? chosen === "dark" : system.matches);
system.addEventListener("change", setTheme);
setTheme();

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
  for (const heading of document.querySelectorAll("h4:not([aria-level])")) heading.ariaLevel = "3";
  for (const [selector, name] of Object.entries(names)) {
    for (const element of document.querySelectorAll(`${selector}:not([aria-label])`))
      element.setAttribute("aria-label", name);
  }
}).observe(document.documentElement, { childList: true, subtree: true });
