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

/**
 * Return whether the server sees the owner of this page; if not, load the page for the present one. A visitor
 * who has signed in in another tab stays here.
 */
export function isStillOwner(present, adopted) {
  if (present === owner.me) return true;
  if (adopted && adopted === owner.me) {
    owner.before = owner.me;
    owner.me = present;
    return true;
  }
  reload();
  return false;
}

/** Load the page for its present owner. */
export function reload() {
  if (owner.isErased) return;
  const last = Number(tab.get(KEY));
  if (Date.now() - last < NOT_BEFORE) return;
  tab.set(KEY, String(Date.now()));
  location.reload();
}
