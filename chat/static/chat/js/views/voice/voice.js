// Voice messages: from the microphone to the text, which is put into the draft or sent at once. A recording
// belongs to the conversation where it began, wherever the visitor is when it ends.

import { drafts, placeOf } from "../../device/drafts.js";
import { api } from "../../net/api.js";
import { formData } from "../../net/form-data.js";
import { newId } from "../../net/ids.js";
import { verbOf } from "../../state/messages.js";
import {
  DONE,
  DONE_ELSEWHERE,
  KEPT,
  MAX_SECONDS,
  OFFLINE,
  SENT,
  secondsLeft,
  TOO_SHORT,
} from "../../text/voice-wording.js";
import { $ } from "../dom.js";
import * as kept from "./kept-recordings.js";
import { record } from "./recorder.js";
import { reasonOf, SHORTEST } from "./refusal.js";
import { createVoiceCard } from "./voice-card.js";
import { waitingJob } from "./waiting-job.js";

const WARN_AT = 270; // seconds

/**
 * Create the voice messages.
 * view(): the open conversation; drafting: see draft-keeper.js; onSent(threadId): a recording was sent as a
 * message; onOpen(threadId, companion): its conversation is wanted.
 */
export function createVoice(options) {
  const voice = { ...options, mic: $("#mic"), card: createVoiceCard(), state: { kind: "idle" } };
  voice.card.onClick((name) => clicks[name]?.(voice));
  voice.mic.addEventListener("click", () => start(voice));
  const waiting = waitingJob.read();
  if (waiting) wait(voice, waiting);
  return {
    draw() {
      if (voice.state.kind === "recording") countSeconds(voice);
      draw(voice);
    },
    start: () => voice.mic.disabled || start(voice),
    /** Transcribe a sound file that was chosen or dropped. */
    takeFile: (file) => voice.mic.disabled || upload(voice, { ...originOf(voice), file, requestId: newId() }),
    receive: (event) => event.jobId === voice.state.jobId && events[verbOf(event)]?.(voice, event),
    show: (place) => show(voice, place),
    move: (from, to) => move(voice, from, to),
    holds: (place) => voice.state.origin?.place === place,
    /** End what belongs to a draft that was deleted; without a place, everything. */
    forget(place) {
      if (!place || voice.state.origin?.place === place) discard(voice);
    },
    /** End a recording and keep it with its draft, before the page is left. */
    async keep() {
      if (voice.state.kind === "recording") await kept.store(await recorded(voice, false));
    },
    /** Return whether leaving the page now would lose a recording. */
    isAtRisk: () => voice.state.kind === "recording" || Boolean(voice.state.isUnkept),
  };
}

/** Where a recording belongs: {place, companion, threadId}. */
function originOf({ view }) {
  const { companion, threadId } = view();
  return { place: placeOf(view()), companion, threadId };
}

function draw({ mic, card, state }) {
  const isWaiting = state.kind === "failed" && state.again && state.origin?.file; // one at a time: it is not replaced
  mic.disabled = !["idle", "failed"].includes(state.kind) || isWaiting;
  card.draw(state);
}

/** kind: `idle`, `asking`, `recording`, `sending`, `waiting`, `transcribing` or `failed`. */
function become(voice, kind, fields = {}) {
  const hadFocus = voice.card.hasFocus();
  voice.state = { ...fields, kind };
  draw(voice);
  if (hadFocus || kind === "recording") voice.card.focus();
}

/** Show what waits in another draft: a recording that was not sent. */
async function show(voice, place) {
  const { kind, origin, isUnkept } = voice.state; // what this browser has no room for stays in sight
  if (kind === "failed" && !isUnkept && origin && origin.place !== place) become(voice, "idle");
  if (voice.state.kind !== "idle" || !drafts.read(place).recording) return;
  const found = await kept.load(place);
  if (!found || voice.state.kind !== "idle" || voice.drafting.place !== place) return;
  const recording = { ...found, ...originOf(voice) };
  become(voice, "failed", { text: KEPT, origin: recording, again: () => upload(voice, recording) });
}

function move({ state }, from, to) {
  kept.move(from, to);
  if (state.origin?.place !== from) return;
  Object.assign(state.origin, { place: to, threadId: threadOf(to) });
  if (state.jobId) waitingJob.keep(state);
  if (state.origin.file && !drafts.read(to).recording) kept.store(state.origin); // a tab has deleted `from`
}

/** The place of a conversation that the server knows is its id. */
const threadOf = (place) => (/^[0-9a-f]{32}$/.test(place) ? place : null);

async function start(voice) {
  const origin = originOf(voice);
  become(voice, "asking", { origin });
  try {
    const { reason } = await api.voice();
    if (reason) throw new Error(reason);
    const recorder = await record({ onLevel: voice.card.setLevel, onLost: () => finish(voice, false) });
    if (voice.state.kind !== "asking") return void recorder.stop();
    voice.say("Recording.");
    become(voice, "recording", { origin, recorder, began: Date.now(), seconds: 0 });
  } catch (error) {
    const again = error.isFinal ? null : () => start(voice);
    if (voice.state.kind === "asking") fail(voice, error.status === 0 ? OFFLINE : error.message, { again });
  }
}

function countSeconds(voice) {
  const { state } = voice;
  const seconds = Math.floor((Date.now() - state.began) / 1000);
  if (state.seconds < WARN_AT && seconds >= WARN_AT) voice.say(secondsLeft(MAX_SECONDS - WARN_AT));
  state.seconds = seconds;
  if (seconds >= MAX_SECONDS) finish(voice, false);
}

/** End the recording and return it. */
async function recorded(voice, send) {
  const { recorder, began, origin } = voice.state;
  const seconds = (Date.now() - began) / 1000;
  become(voice, "sending", { origin });
  const file = await recorder.stop();
  return Object.assign(origin, { file, send, seconds, requestId: newId() });
}

async function finish(voice, send) {
  if (voice.state.kind !== "recording") return;
  const recording = await recorded(voice, send);
  if (recording.seconds < SHORTEST || !recording.file.size) return fail(voice, TOO_SHORT, { origin: recording });
  await kept.store(recording);
  upload(voice, recording);
}

async function upload(voice, recording) {
  const { file, send, requestId, companion, threadId } = recording;
  const seconds = recording.seconds && Math.round(recording.seconds);
  const form = formData({ companion, threadId, file, send, seconds, requestId });
  const sending = api.upload("/api/audio", form, (share) => {
    voice.state.share = share;
    draw(voice);
  });
  become(voice, "sending", { sending, origin: recording, isUnkept: !recording.isKept });
  try {
    uploaded(voice, recording, await sending.answer);
  } catch (error) {
    if (!sending.aborted) refused(voice, recording, { error, threadId });
  }
}

/** threadId: where it was sent; the conversation may be deleted by now, and the recording belongs elsewhere. */
async function refused(voice, recording, { error, threadId }) {
  const isGone = error.status === 404 && Boolean(threadId);
  const { text, isFinal } = await reasonOf(recording, error, isGone);
  if (isFinal) kept.forget(recording);
  // The same request again is the same recording, whether or not it arrived.
  const again = () => (error.code === "other_owner" ? location.reload() : upload(voice, recording));
  fail(voice, text, { again: isFinal ? null : again, origin: recording, isUnkept: !isFinal && !recording.isKept });
  if (isGone) voice.session.threadMissing(threadId);
}

function uploaded(voice, recording, { jobId, position, estimatedWait, threadId }) {
  kept.forget(recording);
  const { place, companion } = recording;
  if (!recording.send)
    return wait(voice, {
      jobId,
      position,
      wait: estimatedWait,
      origin: { place, companion, threadId: recording.threadId },
    });
  become(voice, "idle");
  if (voice.drafting.place !== place) return voice.notice.tell(SENT, { action: openAction(voice, threadId) });
  if (place !== threadId) voice.drafting.move(place, threadId); // what was written meanwhile goes on there
  return voice.onSent(threadId);
}

const openAction = ({ onOpen }, threadId, companion) => ({ label: "Open it", run: () => onOpen(threadId, companion) });

function wait(voice, job) {
  waitingJob.keep(job);
  become(voice, "waiting", job);
  voice.session.follow(job.jobId);
}

function fail(voice, text, fields) {
  voice.say(text);
  become(voice, "failed", { text, origin: voice.state.origin, ...fields });
}

function end(voice) {
  waitingJob.forget();
  become(voice, "idle");
}

/** Go on with the job that is known. */
const goOn = (voice, kind, fields) => become(voice, kind, { origin: voice.state.origin, ...fields });

/** verb -> what an event of the job does. */
const events = {
  position: (voice, { jobId, position, estimatedWait }) =>
    goOn(voice, "waiting", { jobId, position, wait: estimatedWait }),
  started: (voice, { jobId }) => goOn(voice, "transcribing", { jobId }),
  retrying: (voice, { jobId, reason }) => goOn(voice, "waiting", { jobId, reason }),
  completed(voice, { response }) {
    const { place, threadId, companion } = voice.state.origin ?? originOf(voice);
    end(voice);
    if (voice.drafting.give(place, response, voice.insert)) return voice.say(DONE);
    return voice.notice.tell(DONE_ELSEWHERE, { action: openAction(voice, threadId, companion) });
  },
  failed(voice, { error, canRetry, jobId }) {
    const { origin } = voice.state;
    end(voice);
    const again = () => {
      wait(voice, { jobId, origin });
      voice.session.retry(jobId);
    };
    fail(voice, error, { origin, again: canRetry === false ? null : again });
  },
  cancelled: end,
};

const clicks = {
  edit: (voice) => finish(voice, false),
  send: (voice) => finish(voice, true),
  again: ({ state }) => state.again(),
  close(voice) {
    discard(voice);
    $("#message").focus();
  },
};

/** Stop what is under way, and forget its recording. */
function discard(voice) {
  const { recorder, sending, jobId, origin } = voice.state;
  recorder?.stop();
  sending?.abort();
  if (jobId) voice.session.cancel(jobId);
  if (origin) kept.forget(origin);
  end(voice);
}
