// Announces texts to screen readers.

import { $ } from "./dom.js";

/** Create the announcer: `say(text)` announces text, `event(event, name)` an event of the companion `name`. */
export function createScreenReader() {
  const region = $("#announcer");
  const spoken = { positionAt: 0 };
  let last = Promise.resolve();

  /** Announce what `find` returns after all before it. Of two texts at once only the second would be heard. */
  function announce(find) {
    last = last
      .then(find)
      .then((text) => {
        if (!text) return null;
        region.textContent = text;
        return new Promise((done) => setTimeout(done));
      })
      .catch(() => null); // no network: there is nothing to announce
  }

  async function ofEvent(event, name) {
    const { sentenceOf } = await import("./spoken-events.js");
    return sentenceOf(event, name, spoken);
  }

  return {
    say: (text) => announce(() => text),
    event: (event, name) => announce(() => ofEvent(event, name)),
  };
}
