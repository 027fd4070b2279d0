// What this device remembers, as texts. Where the browser stores nothing (storage is blocked or full), memory
// does: until the page is left, everything works as if it were stored.

function createArea(name) {
  const memory = new Map(); // key -> what could not be stored; null if it could not be removed
  return {
    /** Return the text under `key`, or null. */
    get(key) {
      if (memory.has(key)) return memory.get(key);
      try {
        return window[name].getItem(key);
      } catch {
        return null;
      }
    },
    /** Keep `text` under `key`; null removes it. */
    set(key, text) {
      memory.delete(key);
      try {
        if (text === null) window[name].removeItem(key);
        else window[name].setItem(key, text);
      } catch {
        memory.set(key, text);
      }
    },
    /** Return the JSON under `key`; null if there is none, or something else. */
    read(key) {
      try {
        return JSON.parse(this.get(key));
      } catch {
        return null;
      }
    },
    /** Return whether what was set under `key` outlives the page. */
    isKept: (key) => !memory.get(key),
    keys() {
      try {
        return [...new Set([...Object.keys(window[name]), ...memory.keys()])];
      } catch {
        return [...memory.keys()];
      }
    },
  };
}

/** Shared by the tabs of this browser, and kept. */
export const device = createArea("localStorage");
/** Of this tab, kept over a reload. */
export const tab = createArea("sessionStorage");

const HANDOVER = "buddy.handover";

/** Leave something to the next page of this tab, see handover.js. Where nothing is stored, the history has it. */
export function leave(value) {
  tab.set(HANDOVER, value && JSON.stringify(value));
  const isKept = tab.isKept(HANDOVER);
  if (!isKept || history.state?.left) history.replaceState({ ...history.state, left: isKept ? null : value }, "");
}

/** Return what the page before has left, or null. */
export const whatIsLeft = () => tab.read(HANDOVER) ?? history.state?.left ?? null;

/** Return whether this browser keeps the cookies of the site; the page has set one. */
export const keepsCookies = () => document.cookie.includes("csrftoken=");
