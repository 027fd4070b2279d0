// The owner of this page: whom the server rendered it for. What waits on this device belongs to one owner, and
// is neither shown nor sent to another who uses the same browser.

import { tab } from "../device/storage.js";

const page = document.querySelector("#app").dataset;
const KEY = "buddy.reloaded";
const NOT_BEFORE = 10_000; // ms between two reloads

export const owner = {
  me: page.owner,
  /** The visitor whose conversations moved to this account when it was signed in to in this browser. */
  before: page.adopted,
  /** All data of this owner was erased: the page says so until the visitor starts again. */
  isErased: false,
};

let isGreeted = false; // as this owner, since the page is shown
let end = null; // ends the connection
window.addEventListener("pageshow", ({ persisted }) => persisted && (isGreeted = false));

/** Call `onEnd` when the server sees another owner, and what is on the screen is to stay. */
export const onOtherOwner = (onEnd) => (end = onEnd);

/** Return whether the server sees the owner of this page. A visitor who has signed in in another tab stays here. */
export function isStillOwner(present, adopted) {
  const isMoved = Boolean(adopted) && adopted === owner.me;
  if (isMoved) Object.assign(owner, { before: owner.me, me: present });
  if (present !== owner.me) otherOwner();
  else isGreeted = true;
  return present === owner.me;
}

/**
 * The server sees another owner: the session of this page has ended, and what is on the screen stays until the
 * visitor starts again. A page that was never greeted, for example out of a cache, is loaded for the present owner.
 */
export function otherOwner() {
  if (isGreeted) end();
  else reload();
}

function reload() {
  if (owner.isErased) return;
  const last = Number(tab.get(KEY));
  if (Date.now() - last < NOT_BEFORE) return;
  tab.set(KEY, String(Date.now()));
  location.reload();
}
