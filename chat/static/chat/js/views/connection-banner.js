// The strip below the header about the connection: connecting, offline, trying again, back.

import { secondsUntil } from "../text/formats.js";
import { CONNECTION } from "../text/wording.js";
import { $, setText } from "./dom.js";

const SHOWN_AFTER = 1200; // ms; a connection that opens faster is not mentioned
const BACK_ONLINE_MS = 4000;
const HELD_SHOWN_MS = 12_000;
const LOST = new Set(["offline", "waiting", "paused"]);

/** Create the banner; `draw(link)` is called on every change and every second. */
export function createConnectionBanner({ onTryNow, onStartAgain, say }) {
  const element = $("#banner");
  const button = $("button", element);
  const banner = { say, link: { kind: "connecting" }, since: Date.now(), wasLost: false, backAt: 0, spoken: "" };
  button.addEventListener("click", () => (banner.link.kind === "ended" ? onStartAgain() : onTryNow()));
  return {
    draw(link) {
      const isBack = update(banner, link);
      const text = textOf(banner);
      speakOnce(banner, text, isBack);
      setText($("p", element), text);
      element.hidden = !text;
      element.dataset.tone = link.kind === "online" ? "good" : "warn";
      setText(button, link.kind === "ended" ? "Start again" : "Try now");
      button.hidden = !["waiting", "ended"].includes(link.kind);
    },
  };
}

/** Take the new state; return whether the connection is back after a loss. */
function update(banner, link) {
  if (link.kind !== banner.link.kind || link.polling !== banner.link.polling) banner.since = Date.now();
  banner.link = link;
  if (LOST.has(link.kind)) banner.wasLost = true;
  if (link.kind !== "online" || !banner.wasLost) return false;
  banner.wasLost = false;
  banner.backAt = Date.now();
  return true;
}

function textOf({ link: { kind, retryAt, polling }, wasLost, since, backAt }) {
  if (kind === "online" && polling === "held" && Date.now() - since < HELD_SHOWN_MS) return CONNECTION.held();
  if (kind === "connecting" && wasLost) return CONNECTION.again();
  if (kind === "connecting" && Date.now() - since <= SHOWN_AFTER) return "";
  if (kind === "online" && Date.now() - backAt >= BACK_ONLINE_MS) return "";
  return CONNECTION[kind](secondsUntil(retryAt));
}

/** Announce another kind of trouble, and its end. */
function speakOnce(banner, text, isBack) {
  const { kind } = banner.link;
  if (kind === "connecting") return;
  const isTrouble = LOST.has(kind) || kind === "ended";
  if (isBack || (isTrouble && kind !== banner.spoken)) banner.say(text);
  banner.spoken = kind;
}
