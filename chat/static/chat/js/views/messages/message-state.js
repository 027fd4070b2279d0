// The state below a message: on its way, waiting, in progress, or why there is no answer.

import { outbox } from "../../net/outbox.js";
import { isOver, isUnheard, secondsOf } from "../../state/messages.js";
import { isFinal, isSentAgain, messageError } from "../../text/error-messages.js";
import { duration } from "../../text/formats.js";
import { adviceText, positionText, retryText, unsentText, waitText } from "../../text/wording.js";
import { $, clone, create, fill } from "../dom.js";

const MAX_BEADS = 8;
const SENDING_SHOWN_AFTER = 1500; // ms; usually sending takes less time than reading about it

/** Draw the state of `message` into `host`, with new elements only if its kind changes; context: {link, name}. */
export function drawState(host, message, context) {
  const kind = kindOf(message, context.link) ?? "";
  if ((host.dataset.kind ?? "") !== kind) {
    host.dataset.kind = kind;
    host.replaceChildren(...(kind ? [clone(`state-${kind}`)] : []));
  }
  fillers[kind]?.(host, message, context);
}

/** Return the name of the state's template, or null for none. */
function kindOf(message, link) {
  const { status } = message;
  if (message.stopping && !isOver(message)) return "stopping";
  if (status in kinds) return kinds[status](message, link);
  return status in fillers ? status : null;
}

/** Statuses with more than one template, or with none at times. */
const kinds = {
  unsent: ({ createdAt }, { kind }) =>
    kind === "online" && Date.now() - createdAt < SENDING_SHOWN_AFTER ? null : "unsent",
  waiting: ({ wait }) => (wait?.reason === "previous_message" ? "previous" : "queue"),
  active(message) {
    if (isUnheard(message)) return "thinking";
    return message.progress ? "progress" : message.text ? null : "thinking";
  },
};

/** kind -> a function that fills its template. */
const fillers = {
  unsent(host, _, { link }) {
    fill(host, { head: unsentText(link.kind, outbox.isKept()) });
  },
  rejected(host, { refusal }) {
    fill(host, { head: isSentAgain(refusal) ? "Not sent yet" : "Not sent", sub: messageError(refusal) });
    $("[data-do=resend]", host).hidden = isFinal(refusal) || isSentAgain(refusal);
  },
  previous: fillWait,
  queue(host, message) {
    fillWait(host, message);
    drawLine($(".line", host), message.position ?? message.wait?.place);
  },
  thinking(host, message, { name }) {
    const { thought } = message;
    fill(host, {
      head: isUnheard(message) ? "Transcribing your recording" : `${name} is thinking`,
      sub: thought ? duration(secondsOf(thought, Date.now())) : "",
    });
  },
  progress(host, { progress: { done, total, label } }) {
    fill(host, { head: label || "In progress", sub: `${done} of ${total}` });
    const bar = $("progress", host);
    [bar.max, bar.value] = [total, done];
  },
  retrying(host, { retry }) {
    fill(host, { head: retry.reason, sub: retryText(retry) });
  },
  failed(host, message, { question }) {
    const { error } = message;
    fill(host, { head: error || "There was no answer.", sub: adviceText(message) });
    const helps = whatHelps(message, question);
    for (const offer of host.querySelectorAll("[data-offer]")) offer.hidden = !helps[offer.dataset.offer];
    $("[data-offer=sign_in]", host).href = $("#app").dataset.signIn;
    $(".state__buttons", host).hidden = !Object.values(helps).some(Boolean);
  },
  cancelled(host, { text }) {
    fill(host, { head: text ? "Stopped here." : "Cancelled before it started." });
  },
};

/** Return what can help after a failure: offer -> whether it is shown. */
const whatHelps = (message, question) => ({
  retry: message.canRetry !== false,
  // A document is not kept after it was read.
  edit: message.offer === "edit" && Boolean(question?.id) && question.attachment?.kind !== "document",
  sign_in: message.offer === "sign_in" && Boolean($("#app").dataset.signIn),
  new: message.offer === "new",
  delete: isUnheard(message),
});

function fillWait(host, { position, wait }) {
  fill(host, { head: positionText(position, wait), sub: waitText(wait, position) });
}

/** Draw one bead for each answer ahead; the visitor's own is last. */
function drawLine(line, position) {
  if (line.dataset.position === String(position)) return;
  line.dataset.position = position;
  const ahead = Math.max(0, (position ?? 1) - 1);
  const shown = Math.min(ahead, MAX_BEADS);
  const beads = Array.from({ length: shown + 1 }, (_, index) =>
    create("span", { className: index === shown ? "line__bead line__bead--mine" : "line__bead" }),
  );
  if (ahead > shown) beads.unshift(create("span", { className: "line__more", textContent: `+${ahead - shown}` }));
  line.replaceChildren(...beads);
}
