// The open conversation. What draws it is loaded when the page works already, because an empty page needs none of it.

import { create } from "../dom.js";

/** Create the conversation; options and functions: see message-list.js. */
export function createMessages(options) {
  const element = create("div");
  let list = null;
  let loading = null;
  let drawing = null; // what was to be drawn before it was loaded

  function load() {
    loading ??= import("./message-list.js").then(
      (module) => {
        list = module.createMessageList(options);
        element.append(list.element);
        if (drawing && element.isConnected) list.draw(...drawing);
      },
      () => (loading = null), // the connection was lost: it is loaded with the next drawing
    );
  }

  setTimeout(load);
  return {
    element,
    draw(...state) {
      drawing = state;
      if (list) list.draw(...state);
      else load();
    },
    follow: () => list?.follow(),
    returnTo: (threadId) => list?.returnTo(threadId),
    clear: () => list?.clear(),
  };
}
