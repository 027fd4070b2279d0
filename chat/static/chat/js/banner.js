// The honest strip below the header: connecting, offline, trying again, back.

import { $, setText } from "./dom.js";
import { secondsUntil } from "./words.js";

const PATIENCE = 1200; // a connection that takes less is not worth a word
const JOY = 4000;

const KEPT = "What you write is kept on this device and sent once.";

const SPOKEN = {
  offline: "You are offline.",
  waiting: "The connection is lost.",
  hushed: "This page sent too much at once. It connects again in half a minute.",
  ended: "Your session has ended. Use the button Start again to go on.",
};

export function banner({ onTryNow, onStartAgain, say }) {
  const strip = $("#banner");
  const [words, button] = [$("p", strip), $("button", strip)];
  let since = Date.now();
  let link = { kind: "connecting" };
  let spoken = "";
  let wasAway = false;
  let backAt = 0;

  button.addEventListener("click", () => (link.kind === "ended" ? onStartAgain() : onTryNow()));

  const texts = {
    connecting: () => (wasAway ? `Connecting again… ${KEPT}` : Date.now() - since > PATIENCE ? "Connecting…" : ""),
    offline: () => `You are offline. ${KEPT}`,
    waiting: () => `The connection is lost. Trying again in ${secondsUntil(link.retryAt)} s. ${KEPT}`,
    hushed: () => `This page sent too much at once, so the server hung up. Connecting again in ${secondsUntil(link.retryAt)} s. ${KEPT}`,
    ended: () => "Your session has ended. What you wrote and have not sent is kept on this device.",
    blocked: () => "Live updates do not get through your network, so answers come another way, a little slower.",
    online: () => (Date.now() - backAt < JOY ? "Back online. Nothing was lost." : ""),
  };

  /** Called on every change and every second; speaks only when the kind of trouble changes. */
  function draw(next = link) {
    if (next.kind !== link.kind) since = Date.now();
    if (["offline", "waiting", "hushed"].includes(next.kind)) wasAway = true;
    if (next.kind === "online" && wasAway) {
      wasAway = false;
      backAt = Date.now();
      say("Back online.");
    }
    link = next;
    const text = texts[link.kind]();
    setText(words, text);
    strip.hidden = !text;
    strip.dataset.tone = link.kind === "online" ? "good" : "warn";
    setText(button, link.kind === "ended" ? "Start again" : "Try now");
    button.hidden = !["waiting", "ended"].includes(link.kind);
    speakOnce();
  }

  function speakOnce() {
    const sentence = SPOKEN[link.kind] ?? "";
    if (sentence && sentence !== spoken) say(sentence);
    if (link.kind !== "connecting") spoken = sentence;
  }

  return { draw };
}
