// The companions, and the empty page on which one is chosen.

import { $, clone, create, fill } from "./dom.js";

/** id -> {id, name, tagline, greeting, prompts} */
export const companions = new Map(JSON.parse($("#companions").textContent).map((c) => [c.id, c]));
export const [firstCompanion] = companions.keys();
/** Return `id`, or the first companion if there is none of that id, for example because it was removed. */
export const existing = (id) => (companions.has(id) ? id : firstCompanion);
/** The name of a companion, also of one that was removed: its conversations stay. */
export const nameOf = (id) => companions.get(id)?.name ?? (id ? id[0].toUpperCase() + id.slice(1) : "Buddy");
export const longNameOf = (id) => `The ${nameOf(id)} companion`;

/** Create the picker. onChoose(id): a companion was chosen; onPrompt(text): a suggestion was pressed. */
export function createCompanionPicker({ onChoose, onPrompt }) {
  const element = clone("welcome");
  let shown = null;

  element.addEventListener("change", ({ target }) => target.name === "companion" && onChoose(target.value));
  element.addEventListener("click", ({ target, detail }) => {
    const prompt = target.closest(".prompt");
    if (prompt && detail < 2) onPrompt(prompt.textContent); // a double click is one message
  });

  function draw(id) {
    if (shown === id) return;
    shown = id;
    const { greeting, prompts } = companions.get(id);
    $(`input[value="${id}"]`, element).checked = true;
    $(".greeting", element).dataset.companion = id;
    fill(element, { greeting });
    $(".prompts", element).replaceChildren(...prompts.map(promptButton));
  }

  return { element, draw };
}

const promptButton = (textContent) => create("button", { type: "button", className: "prompt", textContent });
