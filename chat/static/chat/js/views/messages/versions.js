// The versions of a question or an answer: which one is shown, and the buttons to the others.

import { versionText } from "../../text/wording.js";
import { $, fill } from "../dom.js";

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
