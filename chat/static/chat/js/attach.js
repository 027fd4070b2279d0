// A document beside the message: picked, dropped or pasted, shown as a chip, and sent with the question.
// What is written and too long for one message goes the same way.

import { api } from "./api.js";
import { $, fill } from "./dom.js";
import { fileSize } from "./words.js";

const MOST = 20 * 1024 ** 2; // bytes; the server's limit, told before somebody waits for it

export function attachments({ view, notice, say, restore, onAudio, onChange, onSent }) {
  const [chip, picker, app] = [$("#attachment"), $("#file"), $("#app")];
  const bar = $("progress", chip);
  let held = null; // {name, about, request(fields): {path, body}, requestId, trouble?, tooLarge?}
  let sending = null;

  function hold(found, about = found?.about) {
    held = found;
    chip.hidden = !held;
    bar.hidden = !sending;
    fill(chip, { name: held?.name ?? "", about: about ?? "", trouble: held?.trouble ?? "" });
    onChange();
  }

  function take(file) {
    if (!file || sending) return;
    if (file.type.startsWith("audio/") && onAudio) return void onAudio(file);
    const tooLarge = file.size > MOST;
    hold({
      name: file.name,
      about: fileSize(file.size),
      requestId: crypto.randomUUID(),
      request: (fields) => ({ path: "/api/analysis", body: form({ ...fields, file }) }),
      tooLarge,
      trouble: tooLarge ? `This is more than ${fileSize(MOST)}, which is the most.` : "",
    });
    say(held.trouble || `${file.name} is attached. Write a question about it, or send it as it is.`);
  }

  /** Sends what is attached, with a question or none, which comes back when it cannot be sent. */
  async function send(question) {
    const { companion, threadId, draft } = view();
    const { path, body } = held.request({ companion, threadId, requestId: held.requestId, question });
    if (held.tooLarge) return restore(question);
    sending = api.send(path, body, (share) => {
      bar.value = share;
      if (share === 1) hold(held, "Looking into it…");
    });
    hold({ ...held, trouble: "" }, "Sending…");
    say(`Sending ${held.name}.`);
    try {
      const answer = await sending.answer;
      const now = view();
      sending = null;
      hold(null);
      onSent(answer, threadId ? now.threadId === threadId : now.draft === draft);
    } catch (error) {
      const { aborted } = sending;
      const trouble = error.status ? error.message : "There is no connection just now. Send it again when it is back.";
      sending = null;
      hold(aborted || held.isText ? null : { ...held, trouble });
      restore(question);
      if (!aborted) (held ? say : notice.tell)(`Not sent. ${trouble}`);
    }
  }

  $("#attach").addEventListener("click", () => picker.click());
  picker.addEventListener("change", () => {
    take(picker.files[0]);
    picker.value = "";
    $("#message").focus();
  });
  $("button", chip).addEventListener("click", () => {
    if (sending) sending.abort();
    else hold(null);
    say("Removed.");
    $("#message").focus();
  });
  $("#message").addEventListener("paste", (event) => {
    if (!event.clipboardData.files.length) return;
    event.preventDefault();
    take(event.clipboardData.files[0]);
  });
  for (const name of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(name, (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      app.toggleAttribute("data-dropping", name === "dragover");
      if (name === "drop") take(event.dataTransfer.files[0]);
    });
  }

  return {
    send,
    /** Whether what is written now is a question about a document. */
    get ready() {
      return Boolean(held) && !sending;
    },
    sendText(text) {
      const request = ({ companion, ...fields }) => ({ path: `/api/${companion}`, body: JSON.stringify({ ...fields, message: text }) });
      hold({ name: "Your message", requestId: crypto.randomUUID(), request, isText: true });
      send(text);
    },
  };
}

export function form(fields) {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) if (value) data.append(name, value);
  return data;
}
