// The empty page: choosing a companion shows the greeting and ways to begin.

import { $, clone, fill } from "./dom.js";

export function pickerView({ companions, onChoose, onPrompt }) {
  const element = clone("welcome");
  let shown = null;

  element.addEventListener("change", ({ target }) => target.name === "companion" && onChoose(target.value));
  element.addEventListener("click", ({ target }) => {
    const prompt = target.closest(".prompt");
    if (prompt) onPrompt(prompt.textContent);
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

function promptButton(text) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "prompt";
  button.textContent = text;
  return button;
}
