// The frame around the conversation: drawer, theme, dialogs, shortcuts.

import { $ } from "./dom.js";

const wide = matchMedia("(min-width: 56rem)");
const THEMES = ["system", "light", "dark"];

function load(key, otherwise) {
  try {
    return localStorage.getItem(key) ?? otherwise;
  } catch {
    return otherwise;
  }
}

function save(key, value) {
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

/** Shortcuts that are a single character can be switched off: they get in the way of speech input. */
export function shortcuts({ frame, onStop, onWrite }) {
  const dialog = $("#shortcuts");
  const single = $("#single-keys");
  single.checked = load("buddy.keys", "on") === "on";
  single.addEventListener("change", () => save("buddy.keys", single.checked ? "on" : "off"));

  const find = () => {
    frame.open();
    $("#find").focus();
  };

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      find();
    } else if (event.key === "Escape") {
      if (frame.isOpen()) frame.close();
      else onStop();
    } else if (single.checked && !event.ctrlKey && !event.metaKey && !event.altKey && !event.target.closest("input, textarea")) {
      const action = { "/": onWrite, "?": () => dialog.showModal() }[event.key];
      if (!action) return;
      event.preventDefault();
      action();
    }
  });
  return { show: () => dialog.showModal() };
}
