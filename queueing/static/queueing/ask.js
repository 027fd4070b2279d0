// The dialog of an action: what would happen comes from the server, and what was done goes back to it.

const dialog = document.getElementById("ask");
const LOST = "No answer came. It may have been done: look at the page, then try again. Twice does no harm.";
const SIGNED_OUT = "The server did not take it: you may be signed out. Load the page again.";

let onDone = () => {};
let opener = null;

/** Open dialogs from the page's buttons; `done(sentence)` hears what came of them. */
export function listen(done) {
  onDone = done;
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-ask]");
    if (button) ask(button);
  });
  dialog.addEventListener("click", ({ target }) => target.closest("[data-close]") && dialog.close());
  dialog.addEventListener("submit", act);
  dialog.addEventListener("close", () => {
    const there = opener && opener.isConnected ? opener : document.getElementById("content");
    there.focus();
  });
}

async function ask(button) {
  if (dialog.open) return;
  opener = button;
  const { ask: verb, ...about } = button.dataset;
  try {
    const response = await fetch("/admin/queue/ask/" + verb + "?" + new URLSearchParams(about));
    if (!response.ok || response.redirected) throw new Error(await detailOf(response));
    dialog.innerHTML = await response.text();
  } catch (error) {
    return onDone(error instanceof TypeError ? "The server cannot be reached. Try again in a moment." : error.message);
  }
  if (dialog.open) return;
  dialog.showModal();
  const first = dialog.querySelector("input:not([type=hidden]), select, textarea");
  if (first) first.focus();
}

async function act(event) {
  event.preventDefault();
  const form = event.target;
  const button = form.querySelector("[type=submit]");
  if (button.disabled) return;
  button.disabled = true;
  const { csrfmiddlewaretoken: token, ...values } = Object.fromEntries(new FormData(form));
  try {
    const response = await fetch(form.action, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": token },
      body: JSON.stringify(values),
    });
    if (!response.ok) return await refused(form, response);
    const { done } = await response.json();
    dialog.close();
    onDone(done);
  } catch {
    form.querySelector("[data-trouble]").textContent = LOST;
  } finally {
    button.disabled = false;
  }
}

async function refused(form, response) {
  const { detail, field } = await problemOf(response);
  form.querySelector("[data-trouble]").textContent = detail;
  for (const input of form.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
  const wrong = field && form.elements[field];
  if (!wrong) return;
  wrong.setAttribute("aria-invalid", "true");
  wrong.focus();
}

async function problemOf(response) {
  const isJson = (response.headers.get("Content-Type") || "").includes("json");
  return isJson ? response.json() : { detail: SIGNED_OUT, field: "" };
}

async function detailOf(response) {
  return (await problemOf(response)).detail;
}
