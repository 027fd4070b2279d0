// Ids that the page chooses. `crypto.randomUUID` is missing on a page without HTTPS.

/** Return a new id: 32 hex digits. */
export const newId = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
