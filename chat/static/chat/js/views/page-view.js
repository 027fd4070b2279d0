// The view on screen (companions, conversation, loading or a problem) and the header above it.

import { PROBLEMS } from "../text/wording.js";
import { companions, firstCompanion, longNameOf, nameOf } from "./companion-picker.js";
import { $, clone, fill, setText } from "./dom.js";

const SUBTITLES = {
  thread: "New conversation",
  loading: "Loading…",
  missing: "Not found",
  erased: "Erased",
  ended: "Ended",
  broken: "Not loaded",
  cookies: "",
};

/** Create the view; `draw(state)` shows what the state says. */
export function createPageView({ picker, messages }) {
  let shown = null;

  function show(kind) {
    if (shown === kind) return;
    shown = kind;
    const views = { new: () => picker.element, thread: () => messages.element, loading: () => clone("loading") };
    $("#view").replaceChildren((views[kind] ?? (() => problem(kind)))());
    if (kind === "new") $("#content").scrollTop = 0;
  }

  return {
    draw(state) {
      const { view } = state;
      show(view.kind);
      if (view.kind === "new") picker.draw(view.companion);
      if (view.kind === "thread") messages.draw(state, longNameOf(view.companion));
      drawHeader(state);
    },
  };
}

function problem(kind) {
  const element = clone("notice");
  const [head, sub] = PROBLEMS[kind];
  fill(element, { head, sub });
  const again = $("[data-do=reload-thread]", element);
  again.hidden = kind !== "broken" && kind !== "cookies";
  if (kind === "cookies") again.dataset.do = "reload-page";
  $("[data-do=new]", element).hidden = kind === "cookies";
  return element;
}

function drawHeader({ view, threads }) {
  const name = nameOf(view.companion);
  const isNew = view.kind === "new";
  // The list is reloaded more often than the conversation, so it knows the title first.
  const title = threads.items.find((thread) => thread.id === view.threadId)?.title ?? view.title;
  $("#app").dataset.companion = view.companion ?? firstCompanion;
  drawRemoved(view);
  setText($("#header-name"), isNew || view.kind === "thread" ? name : "Buddy");
  setText($("#header-title"), title || (isNew ? companions.get(view.companion).tagline : SUBTITLES[view.kind]));
  const heading = `${title || (isNew ? "New conversation" : name)} · Buddy Companion`;
  if (document.title !== heading) document.title = heading;
}

/** Return whether the companion of the open conversation was removed: nothing can be sent there. */
export const isRemoved = ({ kind, companion }) => kind === "thread" && !companions.has(companion);

function drawRemoved(view) {
  $("#app").toggleAttribute("data-removed", isRemoved(view));
  if (isRemoved(view)) fill($("#removed"), { name: longNameOf(view.companion) });
}
