// What answers cost, in words, and the line about today in the sidebar.

import { api } from "./api.js";
import { $, setText } from "./dom.js";

let currency = "USD";

const count = (tokens) => `${tokens.toLocaleString("en")} token${tokens === 1 ? "" : "s"}`;

/** Money comes in millionths; of less than a cent two digits say enough. */
function money(millionths) {
  const amount = millionths / 1e6;
  const digits = amount < 0.01 ? { maximumSignificantDigits: 2 } : {};
  return amount.toLocaleString("en", { style: "currency", currency, ...digits });
}

/** "a-model · 1,204 tokens · $0.0021", as far as it is known. */
export function billWords({ model, usage, cost, cached }) {
  if (cached || !usage) return "";
  const tokens = `${usage.estimated ? "about " : ""}${count(usage.inputTokens + usage.outputTokens)}`;
  return [model, tokens, cost != null && money(cost)].filter(Boolean).join(" · ");
}

/** "1,204 tokens · $0.0021 today", or how much that is of the day's budget. */
export function dayWords({ today, budget }) {
  if (!today.tokens && !budget.tokens && !budget.cost) return "";
  const tokens = budget.tokens ? `${today.tokens.toLocaleString("en")} of ${count(budget.tokens)}` : count(today.tokens);
  const cost = today.cost != null && (budget.cost ? `${money(today.cost)} of ${money(budget.cost)}` : money(today.cost));
  return `${[tokens, cost].filter(Boolean).join(" · ")} today`;
}

/** Asks what was used today, at most once a second, and shows it. */
export function usageLine() {
  const line = $("#usage");
  let soon = 0;
  async function load() {
    soon = 0;
    const usage = await api.usage().catch(() => null); // the next answer brings it
    if (!usage) return;
    currency = usage.currency;
    setText(line, dayWords(usage));
    line.hidden = !line.textContent;
  }
  return { load: () => (soon ||= setTimeout(load, 1000)) };
}
