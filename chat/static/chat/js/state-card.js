// What stands below a message while it is on its way, or when it did not arrive.

import { clone, fill, $ } from "./dom.js";
import { isUnheard } from "./messages.js";
import { isForGood, refusalSentence, sendsItself } from "./refusals.js";
import { failureAdvice, place, retrySentence, waitSentence } from "./words.js";

const MOST_BEADS = 8;
const SENDING_SHOWS_AFTER = 1500; // normally it is over long before anybody could read it

function kindOf(message, link) {
  if (message.stopping && !["cancelled", "completed", "failed"].includes(message.status)) return "stopping";
  switch (message.status) {
    case "unsent":
      return link.kind === "online" && Date.now() - message.createdAt < SENDING_SHOWS_AFTER ? null : "unsent";
    case "waiting":
      return message.wait?.reason === "turn" ? "turn" : "queue";
    case "active":
      if (isUnheard(message)) return "thinking";
      return message.progress ? "progress" : message.text ? null : "thinking";
    case "rejected":
    case "retrying":
    case "failed":
    case "cancelled":
      return message.status;
    default:
      return null;
  }
}

const fillers = {
  unsent(host, message, { link }) {
    const kept =
      link.kind === "ended" ? "Kept on this device, not sent." : "Kept on this device. It is sent once, as soon as the connection is back.";
    fill(host, { head: ["online", "blocked"].includes(link.kind) ? "Sending…" : kept });
  },
  rejected(host, { held }) {
    fill(host, { head: sendsItself(held) ? "Not sent yet" : "Not sent", sub: refusalSentence(held) });
    $("[data-do=resend]", host).hidden = isForGood(held) || sendsItself(held);
  },
  turn(host, { position, wait }) {
    fill(host, { head: place(position, wait), sub: waitSentence(wait, position) });
  },
  queue(host, { position, wait }) {
    fill(host, { head: place(position, wait), sub: waitSentence(wait, position) });
    drawLine($(".line", host), position ?? wait?.place);
  },
  thinking(host, message, { name }) {
    fill(host, { head: isUnheard(message) ? "Listening to your recording" : `${name} is thinking` });
  },
  progress(host, { progress: { done, total, label } }) {
    fill(host, { head: label || "At work", sub: `${done} of ${total}` });
    const bar = $("progress", host);
    [bar.max, bar.value] = [total, done];
  },
  retrying(host, { retry }) {
    fill(host, { head: retry.reason, sub: retrySentence(retry) });
  },
  failed(host, message) {
    const { error, canRetry } = message;
    const unheard = isUnheard(message);
    fill(host, { head: error || "There was no answer.", sub: unheard ? "" : failureAdvice(canRetry) });
    $("[data-do=retry]", host).hidden = canRetry === false;
    $("[data-do=withdraw]", host).hidden = !unheard;
  },
  cancelled(host, { text }) {
    fill(host, { head: text ? "Stopped here." : "Cancelled before it began." });
  },
};

/** One bead for each answer ahead; yours is last, nearest to you. */
function drawLine(line, position) {
  if (line.dataset.position === String(position)) return;
  line.dataset.position = position;
  const ahead = Math.max(0, (position ?? 1) - 1);
  const shown = Math.min(ahead, MOST_BEADS);
  const beads = Array.from({ length: shown + 1 }, (_, index) => {
    const bead = document.createElement("span");
    bead.className = index === shown ? "line__bead line__bead--mine" : "line__bead";
    return bead;
  });
  if (ahead > shown) {
    const more = document.createElement("span");
    more.className = "line__more";
    more.textContent = `+${ahead - shown}`;
    beads.unshift(more);
  }
  line.replaceChildren(...beads);
}

/** Draws the state of `message` into `host`, rebuilding only when its kind changes. */
export function drawState(host, message, context) {
  const kind = kindOf(message, context.link);
  if ((host.dataset.kind ?? "") !== (kind ?? "")) {
    host.dataset.kind = kind ?? "";
    host.replaceChildren(...(kind ? [clone(`state-${kind}`)] : []));
  }
  if (kind) fillers[kind]?.(host, message, context);
}
