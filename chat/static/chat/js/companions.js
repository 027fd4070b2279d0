// Whom one can talk to, as the server has written it into the page.

import { $ } from "./dom.js";

/** id -> {id, name, tagline, greeting, prompts} */
export const companions = new Map(JSON.parse($("#companions").textContent).map((c) => [c.id, c]));
export const [firstCompanion] = companions.keys();
export const nameOf = (id) => companions.get(id)?.name ?? "Buddy";
export const callOf = (id) => `The ${nameOf(id)} companion`;
