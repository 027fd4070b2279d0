// The page of the queues: the server writes its parts, this puts them in place. Without it the page shows
// what was true when it was loaded.

import { listen } from "./ask.js";
import { Link } from "./link.js";
import { fill } from "./morph.js";

const main = document.querySelector("[data-socket]");
const live = document.getElementById("live");
const announcer = document.getElementById("announcer");
const said = document.getElementById("said");
const view = { queue: main.dataset.queue, span: main.dataset.span };
let asOf = "";
let hideTimer = 0;

const link = new Link(address, {
  onParts(parts, at) {
    asOf = at;
    for (const [name, html] of Object.entries(parts)) show(name, html);
    state("live", "Live");
  },
  onTrouble: (text) => state("lost", text + " As of " + since()),
  onState(kind) {
    if (kind === "lost") state("lost", "Connecting again. As of " + since());
    if (kind === "ended") state("lost", "You are signed out. Load the page to sign in again. As of " + since());
  },
});

function address() {
  return location.origin.replace("http", "ws") + main.dataset.socket + "?" + new URLSearchParams(view);
}

function since() {
  return asOf ? asOf + " UTC" : "when it was loaded";
}

function state(kind, text) {
  live.dataset.state = kind;
  const place = live.firstElementChild;
  if (place.textContent !== text) place.textContent = text;
}

function show(name, html) {
  const place = main.querySelector(`[data-part="${name}"]`);
  if (!place) return;
  if (name !== "warnings") return fill(place, html);
  const before = warnings();
  fill(place, html);
  tellWarnings(before, warnings());
}

// --- what a screen reader is told: warnings that come and go, and what was done. Numbers are not. ---

function warnings() {
  const texts = [...main.querySelectorAll(".warning [data-text]")];
  // Those whose numbers alone have changed are no news.
  return new Map(texts.map((text) => [text.textContent.replace(/[\d.,]+/g, "#"), text.textContent]));
}

function tellWarnings(before, after) {
  const came = [...after].filter(([key]) => !before.has(key)).map(([, text]) => text);
  const went = [...before].filter(([key]) => !after.has(key)).map(([, text]) => "Over: " + text);
  if (came.length + went.length) announcer.textContent = [...came, ...went].join(" ");
}

listen((sentence) => {
  announcer.textContent = sentence;
  said.textContent = sentence;
  said.hidden = false;
  clearTimeout(hideTimer);
  hideTimer = setTimeout(() => (said.hidden = true), 12_000);
});

// --- looking elsewhere, without loading the page anew ---

function look() {
  const asked = new URLSearchParams(location.search);
  view.queue = asked.get("queue") || "";
  view.span = asked.get("span") || "1h";
  link.show(view);
}

document.addEventListener("click", (event) => {
  const anchor = event.target.closest("a[data-look]");
  if (!anchor || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
  if (live.dataset.state !== "live") return; // an ordinary link, then
  event.preventDefault();
  // A link changes the queue or the span. The other one is what was asked for last: the link itself may be
  // older, for the server writes it anew only in its next round.
  const { look: name } = anchor.dataset;
  const asked = { ...view, [name]: new URLSearchParams(anchor.search).get(name) || "" };
  history.pushState(null, "", "?" + new URLSearchParams(asked));
  look();
});
addEventListener("popstate", look);
link.open();
