// Passkeys on the pages of an account: each form with `data-passkey` is answered by the browser.
//
// Where the browser cannot use passkeys, the form stays hidden, and one of the sentences beside it says why.

const QUESTIONS = {
  create: (options) => ({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options.publicKey) }),
  get: (options) => ({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options.publicKey) }),
};

// What the errors of the browser mean, by their names.
const ERRORS = { NotAllowedError: "cancelled", AbortError: "cancelled", InvalidStateError: "known" };

for (const form of document.querySelectorAll("form[data-passkey]")) offer(form);

/** Show the form, or why the browser cannot use it. */
function offer(form) {
  const why = obstacle();
  form.hidden = Boolean(why);
  say(form, why);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    answer(form);
  });
}

/** Return why this browser cannot use passkeys on this page; empty if it can. */
function obstacle() {
  if (!isSecureContext) return "insecure";
  if (/^\[|^[\d.]+$/.test(location.hostname)) return "address";
  return window.PublicKeyCredential?.parseRequestOptionsFromJSON ? "" : "unsupported";
}

/** Let the browser answer with a passkey, and submit the form with the answer. */
async function answer(form) {
  const button = form.querySelector("button");
  button.disabled = true;
  say(form, "");
  try {
    const way = form.dataset.passkey;
    const credential = await navigator.credentials[way](QUESTIONS[way](await question(form)));
    form.elements.credential.value = JSON.stringify(credential);
    HTMLFormElement.prototype.submit.call(form);
  } catch (error) {
    say(form, ERRORS[error.name] ?? "failed");
    button.disabled = false;
  }
}

/** Return the question of the server: it is in the page, or asked for now. */
async function question(form) {
  const from = form.dataset.question;
  if (!from) return Object.values(JSON.parse(document.getElementById("question").textContent))[0];
  const response = await fetch(from, { headers: { Accept: "application/json" } });
  if (!response.ok) throw new Error(response.statusText);
  return (await response.json()).request_options;
}

/** Show the sentence with this name beside the form, and hide the others. */
function say(form, name) {
  for (const sentence of form.parentElement.querySelectorAll("[data-says]"))
    sentence.hidden = sentence.dataset.says !== name;
}

// The back button shows the page as it was left.
addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("form[data-passkey] button")) button.disabled = false;
});
