// The connection to the server: what has changed comes in, and each round that was read is said to be.
//
// States told to onState(kind): `live`, `lost` (it is tried again) and `ended` (nobody is signed in any more).

const SILENT = 8_000; // rounds come each second: a socket may be dead without being closed
const LONGEST_WAIT = 10_000;
const SESSION_ENDED = 4401;

export class Link {
  #where;
  #handlers;
  #ws = null;
  #failures = 0;
  #timer = 0;

  /** `where()` gives the address; handlers: onParts(parts, at), onTrouble(text), onState(kind). */
  constructor(where, handlers) {
    this.#where = where;
    this.#handlers = handlers;
    addEventListener("online", () => this.open());
    document.addEventListener("visibilitychange", () => document.hidden || this.open());
  }

  /** Connect, unless it is connected or just about to be. */
  open() {
    if (this.#ws && this.#ws.readyState <= WebSocket.OPEN) return;
    const ws = new WebSocket(this.#where());
    this.#ws = ws;
    this.#wait(ws);
    ws.onmessage = ({ data }) => ws === this.#ws && this.#heard(ws, JSON.parse(data));
    ws.onclose = ({ code }) => ws === this.#ws && this.#lost(code);
  }

  /** Look elsewhere: `{queue, span}`. A connection that is opened later looks there by its address. */
  show(view) {
    if (this.#ws && this.#ws.readyState === WebSocket.OPEN) this.#ws.send(JSON.stringify({ show: view }));
  }

  #heard(ws, said) {
    this.#wait(ws);
    if (said.type === "trouble") return this.#handlers.onTrouble(said.text);
    this.#failures = 0;
    this.#handlers.onState("live");
    this.#handlers.onParts(said.parts, said.at);
    ws.send(JSON.stringify({ seen: said.round }));
  }

  #wait(ws) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      ws.close();
      if (ws === this.#ws) this.#lost(0); // a dead socket takes a minute to say that it is closed
    }, SILENT);
  }

  #lost(code) {
    clearTimeout(this.#timer);
    this.#ws = null;
    if (code === SESSION_ENDED) return this.#handlers.onState("ended");
    this.#handlers.onState("lost");
    const longest = Math.min(LONGEST_WAIT, 500 * 2 ** this.#failures++);
    this.#timer = setTimeout(() => this.open(), longest * (0.5 + Math.random() / 2));
  }
}
