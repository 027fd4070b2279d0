// The dialog that confirms an action: the server renders what would happen, and performs the action.

const LOST =
  "No answer arrived. The action may have been done: check the page, then try again. Doing it twice is safe.";
const SIGNED_OUT = "The server rejected this: you may be signed out. Reload the page.";
const UNREACHABLE = "The server cannot be reached. Try again in a moment.";

const PREFIX = "buddy.confirm ";

/** Open the dialog from the page's buttons; `onDone(sentence)` receives the result. */
export function createConfirmDialog({ onDone }) {
  const dialog = document.getElementById("confirm-dialog");
  let opener = null;

  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-action]");
    if (!button || dialog.open) return;
    opener = button;
    open(dialog, button.dataset, onDone);
  });
  dialog.addEventListener("click", ({ target }) => target.closest("[data-close]") && dialog.close());
  // Enter that is still held from the button must not confirm.
  dialog.addEventListener("keydown", (event) => event.repeat && event.key === "Enter" && event.preventDefault());
  dialog.addEventListener("submit", (event) => {
    event.preventDefault();
    submit(dialog, event.target, onDone);
  });
  dialog.addEventListener("input", ({ target }) => isWords(target) && keep(target.form, target, target.value));
  dialog.addEventListener("close", () => (opener?.isConnected ? opener : document.getElementById("content")).focus());
}

/** Return the address of the page, which a project may put anywhere. */
const page = () => location.pathname.replace(/\/$/, "");

async function open(dialog, { action, ...target }, onDone) {
  try {
    const response = await fetch(`${page()}/confirm/${action}?${new URLSearchParams(target)}`);
    if (!response.ok || response.redirected) return refuse(await problemOf(response), onDone);
    dialog.innerHTML = await response.text();
  } catch (error) {
    return onDone(error instanceof TypeError ? UNREACHABLE : error.message);
  }
  if (dialog.open) return null;
  dialog.showModal();
  bringBack(dialog.querySelector("form"));
  return dialog.querySelector("input:not([type=hidden]), select, textarea")?.focus();
}

// A note or a reason is kept in this tab until its action is done: over Escape, a reload, and a proof of identity.
// Other values are read from the server: a limit may have been changed meanwhile.

const isWords = ({ name }) => name === "note" || name === "text";

/** Return the key of a field: its action, on what, and its name. */
function keyOf(form, { name }) {
  const target = [...form.querySelectorAll("[type=hidden]:not([name=csrfmiddlewaretoken])")].map(({ value }) => value);
  return PREFIX + [new URL(form.action).pathname, ...target, name].join(" ");
}

/** Keep `words`; null forgets them. Where the browser stores nothing, they are lost with the dialog. */
function keep(form, field, words) {
  try {
    if (words === null) sessionStorage.removeItem(keyOf(form, field));
    else sessionStorage.setItem(keyOf(form, field), words);
  } catch {} // storage is full or forbidden
}

function bringBack(form) {
  try {
    for (const field of [...form.elements].filter(isWords))
      field.value = sessionStorage.getItem(keyOf(form, field)) ?? field.value;
  } catch {} // storage is forbidden
}

/** Go to the page that asks for a proof of identity and leads back here, or show the refusal. */
function refuse({ detail, proof }, show) {
  if (proof) location.assign(`${proof}?${new URLSearchParams({ next: location.pathname + location.search })}`);
  show(detail);
}

async function submit(dialog, form, onDone) {
  const button = form.querySelector("[type=submit]");
  if (button.disabled) return;
  button.disabled = true;
  try {
    const response = await post(form);
    if (!response.ok) return showProblem(form, await problemOf(response));
    const { done } = await response.json();
    for (const field of [...form.elements].filter(isWords)) keep(form, field, null);
    dialog.close();
    onDone(done);
  } catch {
    form.querySelector("[data-trouble]").textContent = LOST;
  } finally {
    button.disabled = false;
  }
}

function post(form) {
  const { csrfmiddlewaretoken: token, ...values } = Object.fromEntries(new FormData(form));
  return fetch(form.action, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": token },
    body: JSON.stringify(values),
  });
}

function showProblem(form, { detail, field, proof }) {
  if (proof) refuse({ detail, proof }, () => {});
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
