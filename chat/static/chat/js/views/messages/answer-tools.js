// The tools below an answer: copy, report, cost, and the thumbs.

import { commentPlace, drafts } from "../../device/drafts.js";
import { isOver, isRunning } from "../../state/messages.js";
import { costText } from "../../text/wording.js";
import { $, fill } from "../dom.js";

/** Draw what surrounds the text of an answer; `question` is the message before it. */
export function drawAnswer(element, message, question) {
  // Busy: screen readers leave the text alone until it is complete.
  element.ariaBusy = isRunning(message);
  const isComplete = message.status === "completed";
  const tools = $(".message__tools", element);
  tools.hidden = isRunning(message) || !message.text;
  $(".message__cut", element).hidden = !isComplete || !message.truncated;
  if (tools.hidden) return; // with each piece of an answer
  fill(tools, { bill: isOver(message) ? costText(message) : "" });
  $(".message__cached", tools).hidden = !message.cached;
  const report = $(".message__report", tools);
  report.hidden = !isComplete || question?.attachment?.kind !== "document";
  $("[data-do=regenerate]", tools).hidden = question?.attachment?.kind === "document"; // it is not kept
  report.href = `/api/analysis/${message.jobId}/report.md`;
  for (const thumb of tools.querySelectorAll(".thumb"))
    thumb.ariaPressed = message.feedback?.value === thumb.dataset.value;
  reopenComment(tools, message);
}

/** Open the form again in which a comment was being written when the conversation, or the page, was left. */
function reopenComment(tools, { id, feedback }) {
  if (tools.dataset.seen) return;
  tools.dataset.seen = "yes";
  const { text, closed } = drafts.read(commentPlace(id));
  if (text && !closed && text !== feedback?.comment) $("[data-value=down]", tools).click();
}
