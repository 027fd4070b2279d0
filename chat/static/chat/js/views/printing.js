// Makes the page whole before it is printed or saved as PDF: the browser waits for nothing that comes later, so
// what is not loaded of a long conversation is requested synchronously. Loaded with the first conversation.

import { insertPage } from "../net/thread-pages.js";

/** Prepare each printing. draw(): show the store now. */
export function connectPrinting({ store, draw }) {
  addEventListener("beforeprint", () => {
    if (loadAll(store)) draw();
    noteAddresses();
  });
}

/** Load all pages of the open conversation; return whether there were any. */
function loadAll(store) {
  let isChanged = false;
  for (const [side, flag] of Object.entries({ before: "earlier", after: "later" })) {
    while (store.state.view.kind === "thread" && store.state.view[flag]) {
      const isLoaded = insertPage(store, side, (id, place) =>
        requestNow(`/api/threads/${id}?${new URLSearchParams(place)}`),
      );
      if (!isLoaded) return isChanged; // the page says on paper that there are more
      isChanged = true;
    }
  }
  return isChanged;
}

function requestNow(path) {
  const request = new XMLHttpRequest();
  try {
    request.open("GET", path, false);
    request.setRequestHeader("Accept", "application/json");
    request.send();
    return request.status === 200 ? JSON.parse(request.responseText) : null;
  } catch {
    return null; // no connection
  }
}

/** Note the address of each link whose text is not its address, for the style of the paper. */
function noteAddresses() {
  for (const link of document.querySelectorAll(".prose a[href^=http], .prose a[href^=mailto]")) {
    const address = link.getAttribute("href").replace(/^mailto:/, "");
    if (!address.includes(link.textContent.replace(/\/$|…$/g, ""))) link.dataset.address = address;
  }
}
