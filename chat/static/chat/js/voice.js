// Speaking instead of typing: the card above the composer, from the microphone to the words. They come
// into the composer to be edited, or go straight on as a message.

import { api } from "./api.js";
import { form } from "./attach.js";
import { $, fill, setText } from "./dom.js";
import { isLost, verbOf } from "./messages.js";
import { record } from "./recorder.js";
import { place, stopwatch, waitSentence } from "./words.js";

const MOST = 300; // seconds
const WARN = 270;
const KEY = "buddy.voice"; // the job whose words this tab waits for, kept over a reload
const OFFLINE = "There is no connection just now. What was recorded is kept here; try again when it is back.";

export function voice({ view, session, restore, say, onSent }) {
  const [card, mic] = [$("#voice"), $("#mic")];
  const [level, bar] = [$("meter", card), $("progress", card)];
  let state = { kind: "idle" };

  /** kind: `idle`, `asking`, `recording`, `sending`, `waiting`, `listening` or `trouble`. */
  function become(kind, fields = {}) {
    const hadFocus = card.contains(document.activeElement);
    state = { ...fields, kind };
    draw();
    if (!hadFocus && kind !== "recording") return;
    ([...card.querySelectorAll("button")].find((button) => button.offsetParent) ?? $("#message")).focus();
  }

  const words = {
    asking: () => ["Waiting for the microphone", "Your browser may ask whether this page can use it."],
    recording: ({ seconds }) => ["Recording", `${stopwatch(seconds)} of ${stopwatch(MOST)}`],
    sending: () => ["Sending your recording", ""],
    waiting: ({ position, wait, reason }) => [reason ?? place(position, wait), reason ? "It is tried again." : waitSentence(wait, position)],
    listening: () => ["Listening to your recording", "The words come into the message field."],
    trouble: ({ text }) => [text, ""],
  };

  function draw() {
    if (state.kind === "recording") tick();
    const { kind } = state;
    card.hidden = kind === "idle";
    mic.disabled = !["idle", "trouble"].includes(kind);
    if (card.hidden) return;
    const [head, sub] = words[kind](state);
    fill(card, { head, sub });
    card.dataset.kind = kind;
    bar.value = state.share ?? 0;
    for (const name of ["edit", "send"]) $(`[data-voice=${name}]`, card).hidden = kind !== "recording";
    $("[data-voice=again]", card).hidden = kind !== "trouble" || !state.again;
    setText($("[data-voice=drop]", card), { trouble: "Close", recording: "Discard" }[kind] ?? "Cancel");
  }

  async function start() {
    become("asking");
    try {
      const { reason } = await api.voice();
      if (reason) throw new Error(reason);
      const recorder = await record({ onLevel: (loud) => (level.value = loud), onLost: () => finish(false) });
      if (state.kind !== "asking") return void recorder.stop();
      say("Recording.");
      become("recording", { recorder, began: Date.now(), seconds: 0 });
    } catch (error) {
      if (state.kind === "asking") fail(error.status === 0 ? OFFLINE : error.message, start);
    }
  }

  function tick() {
    const seconds = Math.floor((Date.now() - state.began) / 1000);
    if (state.seconds < WARN && seconds >= WARN) say(`${MOST - WARN} seconds are left.`);
    state.seconds = seconds;
    if (seconds >= MOST) finish(false);
  }

  async function finish(send) {
    const { kind, recorder, seconds } = state;
    if (kind !== "recording") return;
    become("sending");
    upload({ file: await recorder.stop(), send, seconds, requestId: crypto.randomUUID() });
  }

  async function upload(recording) {
    const { companion, threadId } = view();
    const sending = api.send("/api/audio", form({ companion, threadId, ...recording }), (share) => {
      state.share = share;
      draw();
    });
    become("sending", { sending });
    try {
      const { jobId, position, estimatedWait, threadId: sentTo } = await sending.answer;
      if (recording.send) {
        become("idle");
        return onSent(sentTo);
      }
      return wait({ jobId, position, wait: estimatedWait });
    } catch (error) {
      if (sending.aborted) return null;
      // The same request again is the same recording, whether or not it had arrived.
      return fail(error.status ? error.message : OFFLINE, error.code === "invalid" ? null : () => upload(recording));
    }
  }

  function wait(place) {
    sessionStorage.setItem(KEY, place.jobId);
    become("waiting", place);
    session.follow(place.jobId);
  }

  function fail(text, again) {
    say(text);
    become("trouble", { text, again });
  }

  function over() {
    sessionStorage.removeItem(KEY);
    become("idle");
  }

  const verbs = {
    position: ({ jobId, position, estimatedWait }) => become("waiting", { jobId, position, wait: estimatedWait }),
    started: ({ jobId }) => become("listening", { jobId }),
    retrying: ({ jobId, reason }) => become("waiting", { jobId, reason }),
    completed({ response }) {
      over();
      restore(response);
      say("Your words are in the message field. Change what is not right, then send them.");
    },
    failed({ error, code, jobId }) {
      over();
      const again = () => {
        wait({ jobId });
        session.retry(jobId);
      };
      fail(error, isLost(code) ? null : again);
    },
    cancelled: over,
  };

  const clicks = {
    edit: () => finish(false),
    send: () => finish(true),
    again: () => state.again(),
    drop() {
      state.recorder?.stop();
      state.sending?.abort();
      if (state.jobId) session.cancel(state.jobId);
      over();
      $("#message").focus();
    },
  };
  card.addEventListener("click", ({ target }) => clicks[target.closest("[data-voice]")?.dataset.voice]?.());
  mic.addEventListener("click", start);
  if (sessionStorage.getItem(KEY)) wait({ jobId: sessionStorage.getItem(KEY) });

  return {
    draw,
    /** A sound file, picked or dropped: its words come into the composer, too. */
    takeFile: (file) => mic.disabled || upload({ file, requestId: crypto.randomUUID() }),
    heard: (event) => event.jobId === state.jobId && verbs[verbOf(event)]?.(event),
  };
}
