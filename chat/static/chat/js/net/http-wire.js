// What replaces a WebSocket where a network forbids it, with the same methods: an event stream brings the
// events, posts carry the messages. Loaded when it is needed.
//
// Browsers open six connections to a host, over all tabs. So only the tab that was looked at last has a stream,
// and each other one polls, as does a page behind a proxy that holds back what is streamed.

import { api } from "./api.js";

const HELD_AFTER = 5_000; // ms in which a stream must bring something
const BATCH_SIZE = 20; // messages of one post; the server's limit
const BETTER_AFTER = 60_000; // ms until a WebSocket is tried again; each time twice as long
const LONGEST_BETTER = 3_600_000; // ms
const FIRST_MESSAGE_WITHIN = 10_000; // ms
const SESSION_ENDED = 4401;
/** Refusals of a client that may not come any more. A page that is loaded again says why; a WebSocket cannot. */
const NO_ENTRY = ["blocked", "sign_in_required"];
const CHANNEL = "buddy.stream"; // where a tab says that it takes the stream

/** Connect `wire`, whose `onmessage` and `onclose` are set. */
export function openHttpWire(wire, { url, isHeld }) {
  const connection = {
    wire,
    isHeld, // a proxy holds back what is streamed
    ends: new AbortController(),
    stream: null, // its id
    reading: null, // ends the reading of the stream
    heard: 0, // events of streams
    timer: 0,
    betterTimer: 0,
    unsent: [],
    isPosting: false,
  };
  wire.send = (text) => send(connection, JSON.parse(text));
  wire.close = () => close(connection);
  connection.tabs = takeTurns(connection);
  planBetter(connection, url, BETTER_AFTER);
  if (isHeld) poll(connection, "held");
  else if (document.hidden) poll(connection, "elsewhere");
  else follow(connection);
}

/** Take the stream when this tab is looked at, and leave it to another tab that is. */
function takeTurns(connection) {
  if (!("BroadcastChannel" in window)) return null;
  const tabs = new BroadcastChannel(CHANNEL);
  const { signal } = connection.ends;
  const takeStream = () => document.hidden || connection.isHeld || connection.reading || follow(connection);
  tabs.onmessage = () => connection.reading && poll(connection, "elsewhere");
  window.addEventListener("focus", takeStream, { signal });
  document.addEventListener("visibilitychange", takeStream, { signal });
  return tabs;
}

/** Try a WebSocket after a while: the network may be another by then. */
function planBetter(connection, url, wait) {
  if (connection.wire.isClosed) return;
  connection.betterTimer = setTimeout(() => tryBetter(connection, url, Math.min(2 * wait, LONGEST_BETTER)), wait);
}

/** Open a WebSocket beside this; with its first message it takes over. */
function tryBetter(connection, url, nextWait) {
  const ws = new WebSocket(url());
  const timer = setTimeout(() => ws.close(), FIRST_MESSAGE_WITHIN);
  ws.onclose = () => planBetter(connection, url, nextWait);
  ws.onmessage = ({ data }) => {
    clearTimeout(timer);
    if (connection.wire.isClosed) ws.close();
    else connection.wire.onbetter(ws, data);
  };
}

function close({ wire, ends, tabs, reading, timer, betterTimer }, code) {
  if (wire.isClosed) return;
  wire.isClosed = true;
  wire.readyState = WebSocket.CLOSED;
  clearTimeout(timer);
  clearTimeout(betterTimer);
  ends.abort();
  reading?.abort();
  tabs?.close();
  wire.onclose({ code });
}

function deliver({ wire }, event) {
  if (wire.isClosed) return;
  wire.readyState = WebSocket.OPEN;
  wire.onmessage({ data: JSON.stringify(event) });
}

// --- the stream ---

async function follow(connection) {
  const reading = new AbortController();
  connection.reading = reading;
  connection.tabs?.postMessage("taken");
  expect(connection);
  const isCurrent = () => connection.reading === reading && !connection.wire.isClosed;
  try {
    const response = await fetch("/api/connection", { signal: reading.signal, cache: "no-store" });
    if (response.ok) await read(response.body, (text) => isCurrent() && take(connection, text));
    else if (NO_ENTRY.includes((await response.json()).code) && isCurrent()) close(connection, SESSION_ENDED);
  } catch {
    // Aborted, or broken off.
  }
  if (isCurrent()) close(connection);
}

/** Call `onData` with the data of each event in `body`. Comments count too: they show that it is not held. */
async function read(body, onData) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n\n");
    rest = parts.pop();
    for (const part of parts) if (part.startsWith("data: ")) onData(part.slice(6));
  }
}

function take(connection, text) {
  const event = JSON.parse(text);
  clearTimeout(connection.timer);
  connection.heard += 1;
  if (event.type === "close") return close(connection, event.code);
  deliver(connection, event);
  if (event.type !== "hello") return null;
  connection.stream = event.stream;
  // A proxy may let the beginning through and hold the rest; the answer shows that.
  return send(connection, { type: "ping" });
}

/** If nothing comes for a while, a proxy holds it back: ask for the state instead. */
function expect(connection) {
  clearTimeout(connection.timer);
  connection.timer = setTimeout(() => {
    connection.isHeld = true;
    poll(connection, "held");
  }, HELD_AFTER);
}

/** Do without a stream. The greeting comes as the answer to a post; the page asks for everything else. */
function poll(connection, why) {
  const { reading } = connection;
  clearTimeout(connection.timer);
  connection.reading = connection.stream = null;
  reading?.abort();
  post(connection, [], (event) => ({ ...event, polling: why }));
}

// --- the posts ---

function send(connection, message) {
  if (message.type === "job:cancel") return post(connection, [message]); // waits for nothing
  connection.unsent.push(message);
  return connection.isPosting || postAll(connection);
}

/** Post one batch after the other: messages keep their order. */
async function postAll(connection) {
  connection.isPosting = true;
  while (connection.unsent.length && !connection.wire.isClosed)
    await post(connection, connection.unsent.splice(0, BATCH_SIZE));
  connection.isPosting = false;
}

/** Post messages and deliver what answers them. Only a post without messages is there for its greeting. */
async function post(connection, messages, greet = () => null) {
  const { stream, heard } = connection;
  try {
    const { events } = await api.connection({ messages, ...(stream && { stream }) });
    const isUnanswered = heard === connection.heard && messages.some(({ type }) => type === "ping");
    if (stream && stream === connection.stream && isUnanswered) expect(connection);
    for (const event of events) {
      const shown = event.type === "hello" ? greet(event) : event;
      if (shown) deliver(connection, shown);
    }
  } catch (error) {
    refused(connection, messages, error);
  }
}

function refused(connection, messages, error) {
  if (!error.code || error.status >= 500) return close(connection); // no network: it is sent again after it
  if (NO_ENTRY.includes(error.code)) return close(connection, SESSION_ENDED);
  for (const { requestId } of messages) deliver(connection, refusal(error, requestId));
  return null;
}

const refusal = ({ code, message, retryAfter, care }, requestId) => ({
  type: "error",
  requestId,
  code,
  error: message,
  retryAfter,
  care,
});
