// The frame around the conversation: drawer and theme, and what is remembered of such things.

import { $ } from "./dom.js";

const wide = matchMedia("(min-width: 56rem)");
const THEMES = ["system", "light", "dark"];

export function load(key, otherwise) {
  try {
    return localStorage.getItem(key) ?? otherwise;
  } catch {
    return otherwise;
  }
}

export function save(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // It lasts as long as the page.
  }
}

export function drawer() {
  const app = $("#app");
  const opener = $("#open-drawer");

  function set(open) {
    const wasOpen = app.dataset.drawer === "open";
    app.dataset.drawer = open ? "open" : "closed";
    opener.setAttribute("aria-expanded", open);
    $("#main").inert = open;
    $("#sidebar").inert = !open && !wide.matches;
    if (open) $("#sidebar [data-do=close-drawer]").focus();
    else if (wasOpen) opener.focus();
  }

  opener.addEventListener("click", () => set(true));
  wide.addEventListener("change", () => set(false));
  set(false);
  return { open: () => wide.matches || set(true), close: () => set(false), isOpen: () => app.dataset.drawer === "open" };
}

export function themeButton() {
  const button = $("#theme");
  let theme = load("buddy.theme", "system");

  function apply() {
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    $("span", button).textContent = `Theme: ${theme}`;
  }

  button.addEventListener("click", () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
    save("buddy.theme", theme);
    apply();
  });
  apply();
}
