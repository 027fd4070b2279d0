// The chat's live connection: waits for the server's greeting, answers its pings, notices silence.

import { createReconnectingSocket } from "../../../queueing/reconnecting-socket.js";

const PING_EVERY = 20_000; // ms
const PONG_WITHIN = 8_000; // ms
const LONGEST_WAIT = 15_000; // ms between two attempts to connect
const KEY = "buddy.http"; // what a tab uses whose network forbids WebSockets: `stream`, or HELD
const HELD = "held"; // a proxy holds back what is streamed

/**
 * Create the connection. `onEvent` receives the server's events; `onState`: see reconnecting-socket.js. Its
 * `polling` is `held` where a proxy holds back what is streamed, `elsewhere` where another tab has the stream.
 */
export function createSocket({ onEvent, onState }) {
  const url = () => `${location.origin.replace("http", "ws")}/ws/`;
  let polling = null;
  const socket = createReconnectingSocket({
    url,
    longestWait: LONGEST_WAIT,
    fallback: openHttp,
    isFallback: Boolean(remembered()),
    onMessage: receive,
    onState: (link) => onState({ ...link, polling }),
  });

  /** Return whether the frame was handed to an open connection. */
  const send = (frame) => socket.kind === "online" && socket.send(frame);

  function receive(event) {
    if (event.type === "hello") greeted(event);
    // The server asks how far this page has read, and stops sending to one that does not answer.
    if (event.type === "ping") send({ type: "pong", t: event.t });
    else if (event.type !== "pong") onEvent(event);
  }

  function greeted(hello) {
    polling = hello.polling ?? null;
    socket.markOnline();
    onState({ kind: socket.kind, retryAt: null, polling });
    remember(socket.isFallback ? (polling === HELD ? HELD : "stream") : null);
  }

  function ping() {
    // A socket can be dead without being closed; only silence shows it.
    if (send({ type: "ping", t: Date.now() })) socket.expectMessage(PONG_WITHIN);
  }
  setInterval(ping, PING_EVERY);
  document.addEventListener("visibilitychange", () => document.hidden || ping());

  return {
    get kind() {
      return socket.kind;
    },
    get isPolling() {
      return socket.kind === "online" && polling !== null;
    },
    open: socket.open,
    end: socket.end,
    send,
  };
}

/** Return what replaces a WebSocket. Its module is loaded when it is needed. */
function openHttp(url) {
  const wire = { readyState: WebSocket.CONNECTING, isClosed: false, send() {}, close: () => (wire.isClosed = true) };
  import("./http-wire.js").then(
    ({ openHttpWire }) => wire.isClosed || openHttpWire(wire, { url, isHeld: remembered() === HELD }),
    () => wire.onclose({}), // no network
  );
  return wire;
}

function remembered() {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null; // storage is blocked: a reloaded page tries a WebSocket first
  }
}

function remember(way) {
  try {
    if (way) sessionStorage.setItem(KEY, way);
    else sessionStorage.removeItem(KEY);
  } catch {
    // As above.
  }
}
