// One conversation in the list.

import { drafts, titlePlace } from "../../device/drafts.js";
import { codePoints, wellFormed } from "../../state/text-assembly.js";
import { titleTooLong } from "../../text/error-messages.js";
import { fullTime } from "../../text/formats.js";
import { rowTime } from "../../text/wording.js";
import { nameOf } from "../companion-picker.js";
import { $, clone, create, setText } from "../dom.js";

const MAX_TITLE = 120; // characters

export const titleOf = (row) => $(".thread__title", row).textContent;

/** Return a heading, for example "Today". */
export function createDay(text) {
  const row = create("li", { className: "threads__day", textContent: text });
  row.dataset.id = text;
  return row;
}

export function createRow({ id, companion }) {
  const row = clone("thread");
  row.dataset.id = id;
  row.dataset.companion = companion;
  $("[download]", row).href = `/api/threads/${id}/transcript.md`;
  $(".thread__actions", row).addEventListener("dismiss", () => toggleActions(row));
  return row;
}

export function drawRow(row, thread, { isCurrent, isBusy }) {
  const link = $(".thread__link", row);
  const { id, messageId = "" } = thread; // a search leads to the message that it found
  row.dataset.message = messageId;
  link.href = messageId ? `/t/${id}#${messageId}` : `/t/${id}`;
  const title = thread.title || "Untitled";
  drawMatch($(".thread__title", row), thread.titleMatch ?? { before: title });
  $(".thread__more", row).ariaLabel = `More for “${title}”`;
  drawMatch($(".thread__snippet", row), thread.snippet);
  link.title = [title, nameOf(thread.companion), fullTime(thread.updatedAt)].filter(Boolean).join(" · ");
  const time = $(".thread__time", row);
  time.dateTime = thread.updatedAt;
  setText(time, rowTime(thread.updatedAt));
  row.toggleAttribute("data-busy", isBusy);
  row.toggleAttribute("data-current", isCurrent);
  link.ariaCurrent = isCurrent ? "page" : null;
}

/** Show a text with the match of a search in it, only if it changed; without a text, hide the line. */
function drawMatch(line, found) {
  line.hidden = !found;
  const shown = Object.values(found ?? {}).join("\n");
  if (line.shown === shown) return;
  line.shown = shown;
  if (found)
    line.replaceChildren(
      found.before,
      ...(found.match ? [create("mark", { textContent: found.match }), found.after] : []),
    );
}

/** Show or hide the buttons below a row. Their focus goes back to the button that shows them. */
export function toggleActions(row) {
  const panel = $(".thread__actions", row);
  const more = $(".thread__more", row);
  if (panel.contains(document.activeElement)) more.focus();
  panel.hidden = !panel.hidden;
  more.ariaExpanded = !panel.hidden;
}

/**
 * Replace the title by a text field; Enter or leaving it calls onSave(title), Escape does not. onSave returns a promise:
 * false brings the field back. What was written and not saved is a draft, and in the field when it comes back.
 */
export function renameInPlace(row, onSave, isAgain = false) {
  const before = titleOf(row);
  const place = titlePlace(row.dataset.id);
  const keep = (text) => drafts.change(place, { text: text === before ? "" : text });
  const form = clone("rename");
  const input = $("input", form);
  input.value = drafts.read(place).text || before;
  $(".thread__row", row).hidden = true;
  row.prepend(form);
  if (!isAgain || [row, document.body].some((e) => e === document.activeElement)) input.select();

  const finish = (save) => {
    const hadFocus = form.contains(document.activeElement);
    const title = wellFormed(input.value).trim();
    const length = codePoints(title);
    if (save && length > MAX_TITLE) {
      input.setCustomValidity(titleTooLong(length, MAX_TITLE));
      return;
    }
    form.remove();
    $(".thread__row", row).hidden = false;
    if (hadFocus) $(".thread__link", row).focus();
    if (!save) return;
    keep(title);
    if (title && title !== before)
      onSave(title).then((isSaved) => (isSaved ? keep(before) : renameInPlace(row, onSave, true)));
  };
  input.oninput = () => {
    input.setCustomValidity("");
    keep(input.value);
  };
  // A form, because what Enter is on the keyboard of a phone differs.
  form.onsubmit = (event) => {
    event.preventDefault();
    finish(true);
    if (form.isConnected) input.reportValidity();
  };
  form.addEventListener("dismiss", () => finish(false));
  // The focus stays when the row is moved, or another window comes to the front.
  input.onblur = () => setTimeout(() => form.isConnected && document.activeElement !== input && finish(true));
}
