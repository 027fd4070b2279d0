// The dashboard: the server renders its parts, this script puts them in place. Without it the page shows
// the state at the time it was loaded. Where there is no WebSocket, the script reads the page again and again.

import { createConfirmDialog } from "./confirm-dialog.js";
import { morphHtml } from "./morph.js";
import { openPageWire } from "./page-wire.js";
import { createReconnectingSocket } from "./reconnecting-socket.js";

const SILENCE = 8_000; // ms; the server sends each second, and a socket may be dead without being closed
const LONGEST_WAIT = 10_000; // ms between two attempts to connect
const DONE_SHOWN = 12_000; // ms

const main = document.querySelector("[data-socket]");
const live = document.getElementById("live");
const announcer = document.getElementById("announcer");
const view = { queue: main.dataset.queue, span: main.dataset.span };
let asOf = "";

const socket = createReconnectingSocket({
  url: () => `${location.origin.replace("http", "ws")}${main.dataset.socket}?${new URLSearchParams(view)}`,
  longestWait: LONGEST_WAIT,
  silence: SILENCE,
  fallback: (url) => openPageWire({ url: main.dataset.socket && url, view }),
  isFallback: !main.dataset.socket, // the project has no WebSockets
  opensAfterEnd: true, // the operator may sign in again in another tab
  onMessage: receive,
  onState: ({ kind }) => showConnection(kind),
});

function receive(message) {
  if (message.type === "trouble") return showLive("lost", `${message.text} As of ${since()}`);
  socket.markOnline();
  asOf = message.at;
  for (const [name, html] of Object.entries(message.parts)) showPart(name, html);
  showLive("live", socket.isFallback ? "Live, every 3 seconds" : "Live");
  return socket.send({ seen: message.round });
}

function showConnection(kind) {
  if (kind === "ended") showLive("lost", `You are signed out. Reload the page to sign in again. As of ${since()}`);
  else if (kind !== "online" && kind !== "connecting") showLive("lost", `Connecting again. As of ${since()}`);
}

const since = () => (asOf ? `${asOf} UTC` : "when the page was loaded");

function showLive(state, text) {
  live.dataset.state = state;
  const place = live.firstElementChild;
  if (place.textContent !== text) place.textContent = text;
}

function showPart(name, html) {
  const place = main.querySelector(`[data-part="${name}"]`);
  if (!place) return;
  if (name !== "warnings") return morphHtml(place, html);
  const before = warnings();
  morphHtml(place, html);
  return announceWarnings(before, warnings());
}

// --- announced to screen readers: warnings that come and go, and what was done; numbers are not ---

function warnings() {
  const texts = [...main.querySelectorAll(".warning [data-text]")];
  // A warning in which only numbers have changed is not announced again.
  return new Map(texts.map((text) => [text.textContent.replace(/[\d.,]+/g, "#"), text.textContent]));
}

function announceWarnings(before, after) {
  const came = [...after].filter(([key]) => !before.has(key)).map(([, text]) => text);
  const went = [...before].filter(([key]) => !after.has(key)).map(([, text]) => `Resolved: ${text}`);
  if (came.length + went.length) announcer.textContent = [...came, ...went].join(" ");
}

let hideTimer = 0;
createConfirmDialog({
  onDone(sentence) {
    const result = document.getElementById("result");
    announcer.textContent = sentence;
    result.textContent = sentence;
    result.hidden = false;
    clearTimeout(hideTimer);
    hideTimer = setTimeout(() => (result.hidden = true), DONE_SHOWN);
  },
});

// --- another queue or time span, without loading the page again ---

function showAddress() {
  const wanted = new URLSearchParams(location.search);
  view.queue = wanted.get("queue") || "";
  view.span = wanted.get("span") || "1h";
  socket.send({ show: view }); // a connection that opens later has it in its address
}

document.addEventListener("click", (event) => {
  const anchor = event.target.closest("a[data-select]");
  if (!anchor || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
  if (live.dataset.state !== "live") return; // then it is an ordinary link
  event.preventDefault();
  // A link changes the queue or the span. The other one stays as it was last chosen: the link itself may be
  // older, because the server renders it again only in its next round.
  const { select } = anchor.dataset;
  const wanted = { ...view, [select]: new URLSearchParams(anchor.search).get(select) || "" };
  history.pushState(null, "", `?${new URLSearchParams(wanted)}`);
  showAddress();
});
addEventListener("popstate", showAddress);
socket.open();
