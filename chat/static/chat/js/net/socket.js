// The chat's live connection: waits for the server's greeting, answers its pings, notices silence.

import { createReconnectingSocket } from "../../../queueing/reconnecting-socket.js";

const PING_EVERY = 20_000; // ms
const PONG_WITHIN = 8_000; // ms
const LONGEST_WAIT = 15_000; // ms between two attempts to connect

/** Create the connection. `onEvent` receives the server's events; `onState`: see reconnecting-socket.js. */
export function createSocket({ onEvent, onState }) {
  const url = () => `${location.origin.replace("http", "ws")}/ws/`;
  const socket = createReconnectingSocket({ url, longestWait: LONGEST_WAIT, onMessage: receive, onState });

  /** Return whether the frame was handed to an open connection. */
  const send = (frame) => socket.kind === "online" && socket.send(frame);

  function receive(event) {
    if (event.type === "hello") socket.markOnline();
    // The server asks how far this page has read, and stops sending to one that does not answer.
    if (event.type === "ping") send({ type: "pong", t: event.t });
    else if (event.type !== "pong") onEvent(event);
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
    open: socket.open,
    send,
  };
}
