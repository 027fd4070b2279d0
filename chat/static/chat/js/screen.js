// Which view is on screen, and what stands above it.

import { callOf, companions, firstCompanion, nameOf } from "./companions.js";
import { $, clone, fill, setText } from "./dom.js";

const problems = {
  missing: ["This conversation is not here", "It was deleted, or it belongs to somebody else."],
  broken: ["This conversation could not be loaded", "It is safe on the server. Check the connection and try again."],
};
const subtitles = { thread: "New conversation", loading: "Loading…", missing: "Not found", broken: "Not loaded" };

export function createScreen({ scroller, picker, messages }) {
  let shown = null;

  function show(kind) {
    if (shown === kind) return;
    shown = kind;
    const views = { new: () => picker.element, thread: () => messages.element, loading: () => clone("loading") };
    $("#view").replaceChildren((views[kind] ?? (() => problem(kind)))());
    if (kind === "new") scroller.scrollTop = 0;
  }

  return {
    draw(state) {
      const { view } = state;
      show(view.kind);
      if (view.kind === "new") picker.draw(view.companion);
      if (view.kind === "thread") messages.draw(state, callOf(view.companion));
      drawHeader(state);
    },
  };
}

function problem(kind) {
  const element = clone("notice");
  const [head, sub] = problems[kind];
  fill(element, { head, sub });
  $("[data-do=reload-thread]", element).hidden = kind === "missing";
  return element;
}

function drawHeader({ view, threads }) {
  const name = nameOf(view.companion);
  const isNew = view.kind === "new";
  // The list is reloaded more often than the conversation, so it knows the title first.
  const title = threads.items.find((thread) => thread.id === view.threadId)?.title ?? view.title;
  $("#app").dataset.companion = view.companion ?? firstCompanion;
  setText($("#header-name"), isNew || view.kind === "thread" ? name : "Buddy");
  setText($("#header-title"), title || (isNew ? companions.get(view.companion).tagline : subtitles[view.kind]));
  document.title = `${title || (isNew ? "New conversation" : name)} · Buddy Companion`;
}
