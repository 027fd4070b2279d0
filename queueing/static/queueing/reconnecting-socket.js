// A WebSocket that opens again after a loss, with exponential backoff and jitter.
//
// States passed to onState({kind, retryAt}):
//   connecting  a connection is being opened
//   online      the server has answered, see `markOnline`
//   waiting     the connection was lost; the next attempt is at retryAt
//   offline     the browser reports no network; the next attempt follows when there is one
//   paused      the server closed the connection after too many requests; not before retryAt
//   ended       the session has ended

const SESSION_ENDED = 4401; // close codes of the server
const TOO_MANY_REQUESTS = 4008;
const PAUSE = 30_000; // ms
const FIRST_MESSAGE_WITHIN = 10_000; // ms; some proxies accept a socket and then carry nothing
const PATIENCE = 3; // failures of a socket that has worked before, until the fallback is tried

const INITIAL = { kind: "connecting", ws: null, failures: 0, hasWorked: false, pausedUntil: 0 };

/**
 * Create the socket; `open()` connects it.
 * url: a function that returns the address of the next attempt.
 * onMessage: receives each message, parsed.
 * longestWait: ms between two attempts, at most.
 * silence: ms without a message after which the connection counts as lost; 0 for no limit.
 * fallback: a function that opens what replaces a WebSocket where a network forbids it, with the same methods. It is
 *   passed `url`, and calls its `onbetter(ws, data)` when a WebSocket works again.
 * isFallback: whether to begin with that.
 * opensAfterEnd: whether to try again after the end of the session, when the page is looked at again.
 */
export function createReconnectingSocket(options) {
  const socket = { silence: 0, opensAfterEnd: false, fallback: null, isFallback: false, ...options, ...INITIAL };
  window.addEventListener("online", () => open(socket));
  window.addEventListener("offline", () => lose(socket));
  // A laptop wakes up, or the tab comes back: connect now and not at the end of the wait.
  document.addEventListener("visibilitychange", () => document.hidden || open(socket));
  return {
    get kind() {
      return socket.kind;
    },
    open: () => open(socket),
    send: (message) => send(socket, message),
    /** Take the session for ended. */
    end: () => lose(socket, SESSION_ENDED),
    /** Report that the server has answered. */
    markOnline: () => markOnline(socket),
    get isFallback() {
      return socket.isFallback;
    },
    /** Count the connection as lost if no message arrives within `ms`. */
    expectMessage: (ms) => expectMessage(socket, ms),
  };
}

/** Connect now, regardless of the backoff, unless the server has asked for a pause. */
function open(socket) {
  if ((socket.kind === "ended" && !socket.opensAfterEnd) || Date.now() < socket.pausedUntil) return;
  if (socket.ws?.readyState <= WebSocket.OPEN) return;
  clearTimeout(socket.retryTimer);
  setState(socket, "connecting");
  attach(socket, socket.isFallback ? socket.fallback(socket.url) : new WebSocket(socket.url()));
  expectMessage(socket, socket.silence || FIRST_MESSAGE_WITHIN);
}

function attach(socket, ws) {
  socket.ws = ws;
  ws.onmessage = ({ data }) => ws === socket.ws && receive(socket, JSON.parse(data));
  ws.onclose = ({ code }) => ws === socket.ws && lose(socket, code);
  ws.onbetter = (better, data) => ws === socket.ws && takeOver(socket, better, data);
}

/** The fallback has found a WebSocket that works, with this first message. */
function takeOver(socket, better, data) {
  const { ws } = socket;
  socket.isFallback = false;
  attach(socket, better);
  ws.close();
  receive(socket, JSON.parse(data));
}

function markOnline(socket) {
  socket.failures = 0;
  socket.hasWorked ||= !socket.isFallback;
  setState(socket, "online");
}

function receive(socket, message) {
  expectMessage(socket, socket.silence);
  socket.onMessage(message);
}

/** Return whether the message was handed to an open connection. */
function send({ ws }, message) {
  if (ws?.readyState !== WebSocket.OPEN) return false;
  ws.send(JSON.stringify(message));
  return true;
}

function expectMessage(socket, ms) {
  clearTimeout(socket.deadline);
  if (ms) socket.deadline = setTimeout(() => lose(socket), ms);
}

function lose(socket, code) {
  clearTimeout(socket.deadline);
  clearTimeout(socket.retryTimer);
  const { ws, kind } = socket;
  socket.ws = null; // a dead connection takes a minute to report that it is closed
  ws?.close();
  if (kind === "ended" || code === SESSION_ENDED) return setState(socket, "ended");
  if (code === TOO_MANY_REQUESTS) socket.pausedUntil = Date.now() + PAUSE * (1 + Math.random() / 4);
  if (Date.now() < socket.pausedUntil) return retryAt(socket, "paused", socket.pausedUntil);
  if (!navigator.onLine) return setState(socket, "offline");
  socket.failures += 1;
  if (kind !== "online" && takeOther(socket)) return open(socket);
  const ceiling = Math.min(socket.longestWait, 500 * 2 ** socket.failures);
  // Jitter: after a restart of the server not all clients come back at the same moment.
  return retryAt(socket, "waiting", Date.now() + (ceiling * (1 + Math.random())) / 2);
}

function retryAt(socket, kind, time) {
  socket.retryTimer = setTimeout(() => open(socket), time - Date.now() + 1);
  setState(socket, kind, time);
}

/**
 * After an attempt that failed, take the WebSocket and the fallback in turn; what has worked gets more tries.
 * Return whether it is the fallback's turn, which needs no wait.
 */
function takeOther(socket) {
  if (!socket.fallback) return false;
  socket.isFallback = !socket.isFallback && socket.failures >= (socket.hasWorked ? PATIENCE : 1);
  return socket.isFallback;
}

function setState(socket, kind, time = null) {
  if (kind === socket.kind && !time) return;
  socket.kind = kind;
  socket.onState({ kind, retryAt: time });
}
