// Announces texts to screen readers.

import { $ } from "./dom.js";

/** Create the announcer: `say(text)` announces text, `event(event, name)` an event of the companion `name`. */
export function createScreenReader() {
  const region = $("#announcer");
  const spoken = { positionAt: 0 };
  const say = (text) => (region.textContent = text);
  return {
    say,
    async event(event, name) {
      const { sentenceOf } = await import("./spoken-events.js");
      const text = sentenceOf(event, name, spoken);
      if (text) say(text);
    },
  };
}
