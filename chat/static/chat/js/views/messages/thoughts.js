// What the model thought before an answer: folded, and loaded only when the visitor opens it.

import { api } from "../../net/api.js";
import { isRunning, secondsOf } from "../../state/messages.js";
import { duration } from "../../text/formats.js";
import { THOUGHTS, thoughtText } from "../../text/wording.js";
import { $, fill, setText } from "../dom.js";

/** Draw the fold of the thoughts before `message`. */
export function drawThoughts(element, message) {
  const fold = $(".thoughts", element);
  const { thought } = message;
  const isThinking = isRunning(message) && !message.text;
  fill(fold, { thought: thoughtText(isThinking, duration(secondsOf(thought, Date.now()))) });
  fold.ontoggle = () => fold.open && load(fold, message.jobId);
  if (fold.open && isThinking) load(fold, message.jobId); // there is more every second
}

async function load(fold, jobId) {
  const host = $(".thoughts__text", fold);
  if (!host.textContent) setText(host, THOUGHTS.loading);
  try {
    const { thoughts } = await api.thoughts(jobId);
    setText(host, thoughts?.trim() || (thoughts === null ? THOUGHTS.gone : THOUGHTS.secret));
  } catch {
    setText(host, THOUGHTS.failed);
  }
}
