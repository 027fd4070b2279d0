// Announces texts to screen readers.

import { $ } from "./dom.js";

/** Create the announcer: `say(text)` announces text, `event(event, name)` an event of the companion `name`. */
export function createScreenReader() {
  const region = $("#announcer");
  const spoken = { positionAt: 0 };
  let last = Promise.resolve();
  const say = (text) => (region.textContent = text);

  /** Announce an event. Each gets a moment of its own: of two at once only the second would be heard. */
  async function announce(event, name) {
    const { sentenceOf } = await import("./spoken-events.js");
    const text = sentenceOf(event, name, spoken);
    if (!text) return;
    say(text);
    await new Promise((done) => setTimeout(done));
  }

  return {
    say,
    event(event, name) {
      last = last.then(() => announce(event, name)).catch(() => null); // no network: there is nothing to announce
    },
  };
}
