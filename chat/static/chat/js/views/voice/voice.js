// Voice messages: from the microphone to the text, which is put into the composer or sent at once.

import { api } from "../../net/api.js";
import { newId } from "../../net/ids.js";
import { owner } from "../../net/owner.js";
import { verbOf } from "../../state/messages.js";
import { DONE, MAX_SECONDS, OFFLINE, secondsLeft } from "../../text/voice-wording.js";
import { formData } from "../attachments.js";
import { $ } from "../dom.js";
import { record } from "./recorder.js";
import { createVoiceCard } from "./voice-card.js";

const WARN_AT = 270; // seconds
const KEY = "buddy.voice"; // the job whose text this tab waits for, kept over a reload

/**
 * Create the voice messages.
 * view(): the open conversation; restore(text): puts text into the composer; onSent(threadId): a recording
 * was sent as a message.
 */
export function createVoice(options) {
  const voice = { ...options, mic: $("#mic"), card: createVoiceCard(), state: { kind: "idle" } };
  voice.card.onClick((name) => clicks[name]?.(voice));
  voice.mic.addEventListener("click", () => start(voice));
  const [of, jobId] = (sessionStorage.getItem(KEY) ?? "").split(" ");
  if (jobId && [owner.me, owner.before].includes(of)) wait(voice, { jobId });
  return {
    draw() {
      if (voice.state.kind === "recording") countSeconds(voice);
      draw(voice);
    },
    start: () => voice.mic.disabled || start(voice),
    /** Transcribe a sound file that was chosen or dropped. */
    takeFile: (file) => voice.mic.disabled || upload(voice, { file, requestId: newId() }),
    receive: (event) => event.jobId === voice.state.jobId && events[verbOf(event)]?.(voice, event),
  };
}

function draw({ mic, card, state }) {
  mic.disabled = !["idle", "failed"].includes(state.kind);
  card.draw(state);
}

/** kind: `idle`, `asking`, `recording`, `sending`, `waiting`, `transcribing` or `failed`. */
function become(voice, kind, fields = {}) {
  const hadFocus = voice.card.hasFocus();
  voice.state = { ...fields, kind };
  draw(voice);
  if (hadFocus || kind === "recording") voice.card.focus();
}

async function start(voice) {
  become(voice, "asking");
  try {
    const { reason } = await api.voice();
    if (reason) throw new Error(reason);
    const recorder = await record({ onLevel: voice.card.setLevel, onLost: () => finish(voice, false) });
    if (voice.state.kind !== "asking") return void recorder.stop();
    voice.say("Recording.");
    become(voice, "recording", { recorder, began: Date.now(), seconds: 0 });
  } catch (error) {
    if (voice.state.kind === "asking") fail(voice, error.status === 0 ? OFFLINE : error.message, () => start(voice));
  }
}

function countSeconds(voice) {
  const { state } = voice;
  const seconds = Math.floor((Date.now() - state.began) / 1000);
  if (state.seconds < WARN_AT && seconds >= WARN_AT) voice.say(secondsLeft(MAX_SECONDS - WARN_AT));
  state.seconds = seconds;
  if (seconds >= MAX_SECONDS) finish(voice, false);
}

async function finish(voice, send) {
  const { kind, recorder, seconds } = voice.state;
  if (kind !== "recording") return;
  become(voice, "sending");
  upload(voice, { file: await recorder.stop(), send, seconds, requestId: newId() });
}

async function upload(voice, recording) {
  const { companion, threadId } = voice.view();
  const sending = api.upload("/api/audio", formData({ companion, threadId, ...recording }), (share) => {
    voice.state.share = share;
    draw(voice);
  });
  become(voice, "sending", { sending });
  try {
    uploaded(voice, recording, await sending.answer);
  } catch (error) {
    // The same request again is the same recording, whether or not it arrived.
    const again = error.code === "invalid" ? null : () => upload(voice, recording);
    if (!sending.aborted) fail(voice, error.status ? error.message : OFFLINE, again);
  }
}

function uploaded(voice, recording, { jobId, position, estimatedWait, threadId }) {
  if (!recording.send) return wait(voice, { jobId, position, wait: estimatedWait });
  become(voice, "idle");
  return voice.onSent(threadId);
}

function wait(voice, job) {
  sessionStorage.setItem(KEY, `${owner.me} ${job.jobId}`);
  become(voice, "waiting", job);
  voice.session.follow(job.jobId);
}

function fail(voice, text, again) {
  voice.say(text);
  become(voice, "failed", { text, again });
}

function end(voice) {
  sessionStorage.removeItem(KEY);
  become(voice, "idle");
}

/** verb -> what an event of the job does. */
const events = {
  position: (voice, { jobId, position, estimatedWait }) =>
    become(voice, "waiting", { jobId, position, wait: estimatedWait }),
  started: (voice, { jobId }) => become(voice, "transcribing", { jobId }),
  retrying: (voice, { jobId, reason }) => become(voice, "waiting", { jobId, reason }),
  completed(voice, { response }) {
    end(voice);
    voice.restore(response);
    voice.say(DONE);
  },
  failed(voice, { error, canRetry, jobId }) {
    end(voice);
    const again = () => {
      wait(voice, { jobId });
      voice.session.retry(jobId);
    };
    fail(voice, error, canRetry === false ? null : again);
  },
  cancelled: end,
};

const clicks = {
  edit: (voice) => finish(voice, false),
  send: (voice) => finish(voice, true),
  again: ({ state }) => state.again(),
  close(voice) {
    const { recorder, sending, jobId } = voice.state;
    recorder?.stop();
    sending?.abort();
    if (jobId) voice.session.cancel(jobId);
    end(voice);
    $("#message").focus();
  },
};
