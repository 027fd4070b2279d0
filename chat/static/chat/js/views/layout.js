// The layout around the conversation: drawer, theme, today's usage, and the choices this device remembers.

import { device } from "../device/storage.js";
import { api } from "../net/api.js";
import { setCurrency } from "../text/formats.js";
import { usageText } from "../text/wording.js";
import { $, setText } from "./dom.js";

const wide = matchMedia("(min-width: 56rem)");
const THEMES = ["system", "light", "dark"];
const LOAD_USAGE_EVERY = 500; // ms

/** Create the drawer with the conversations; on wide screens it is always open. */
export function createDrawer() {
  const app = $("#app");
  const opener = $("#open-drawer");

  function set(open) {
    const wasOpen = app.dataset.drawer === "open";
    app.dataset.drawer = open ? "open" : "closed";
    opener.ariaExpanded = open;
    $("#main").inert = open;
    $("#sidebar").inert = !open && !wide.matches;
    if (open) $("#sidebar [data-do=close-drawer]").focus();
    else if (wasOpen) opener.focus();
  }

  opener.addEventListener("click", () => set(true));
  // Another size of the text may change it without its event: nothing would be left to close the drawer by.
  let wasWide = wide.matches;
  const follow = () => {
    if (wide.matches === wasWide) return;
    wasWide = wide.matches;
    set(false);
  };
  wide.addEventListener("change", follow);
  window.addEventListener("resize", follow);
  $("#sidebar").addEventListener("dismiss", () => set(false));
  set(false);
  return {
    open: () => wide.matches || set(true),
    close: () => set(false),
    isOpen: () => app.dataset.drawer === "open",
  };
}

/** Create the button that changes between the system's, the light and the dark theme. */
export function createThemeButton() {
  const button = $("#theme");
  let theme = device.get("buddy.theme");
  if (!THEMES.includes(theme)) theme = "system";

  function apply() {
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    $("span", button).textContent = `Theme: ${theme}`;
  }

  button.addEventListener("click", () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
    device.set("buddy.theme", theme);
    apply();
  });
  apply();
}

/** Create the line about today's usage; `load()` asks the server at most once a second. */
export function createUsageLine() {
  const line = $("#usage");
  let timer = 0;

  async function load() {
    timer = 0;
    const usage = await api.usage().catch(() => null); // the next answer brings it
    if (!usage) return;
    setCurrency(usage.currency);
    setText(line, usageText(usage));
    line.hidden = !line.textContent;
  }

  return { load: () => (timer ||= setTimeout(load, LOAD_USAGE_EVERY)) };
}
