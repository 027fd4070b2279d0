// The versions of a question or an answer: which one is shown, and the buttons to the others.

import { api } from "../../net/api.js";
import { requestError } from "../../text/error-messages.js";
import { $, fill } from "../dom.js";

const versionText = (number, count) => `Version ${number} of ${count}`;

/** Draw the place of a message among its versions. */
export function drawVersions(element, { id, versions }) {
  const host = $(".versions", element);
  host.hidden = !versions;
  if (!versions) return;
  const number = versions.indexOf(id) + 1;
  fill(host, { number: `${number} / ${versions.length}` });
  host.ariaLabel = versionText(number, versions.length);
  // Not `disabled`: the button that has just been pressed keeps the focus.
  $("[data-step='-1']", host).ariaDisabled = number === 1;
  $("[data-step='1']", host).ariaDisabled = number === versions.length;
}

/** Show the version to which a button leads; page: {store, session, notice, say}. */
export async function showVersion({ store, session, notice, say }, button) {
  const { key } = button.closest("[data-key]").dataset;
  const { step } = button.dataset;
  const { threadId } = store.state.view;
  const { id, versions } = store.state.messages.find((m) => m.key === key);
  const wanted = versions[versions.indexOf(id) + Number(step)];
  if (!wanted) return;
  try {
    await api.choose(threadId, wanted);
  } catch ({ status, code, message }) {
    return notice.tell(requestError(status ? { code, error: message } : { code: "no_connection" }));
  }
  await session.branchChosen(threadId); // the event may be late, or lost
  const shown = store.state.messages.find((m) => m.id === wanted);
  // Each version has an element of its own: one can press on, when it is drawn.
  requestAnimationFrame(() => $(`[data-key="${shown?.key}"] [data-step="${step}"]`)?.focus());
  say(versionText(versions.indexOf(wanted) + 1, versions.length));
}
