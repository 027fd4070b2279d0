// The live connection: opens, watches its health, and opens again with backoff and jitter.
//
// States told to onState({kind, retryAt}): `connecting`, `online`, `waiting` (until retryAt), `offline`
// (the browser says there is no network), `blocked` (HTTP works, WebSockets do not get through), `hushed`
// (we sent too much; not before retryAt), `ended` (the session is over; nothing but a reload helps).

const PING_EVERY = 20_000;
const PONG_WITHIN = 8_000;
const LONGEST_WAIT = 15_000;
const SESSION_ENDED = 4401;
const ABUSED = 4008;
const HUSHED_FOR = 30_000;
const BLOCKED_AFTER = 3; // failures without a single success: probably a proxy in between

export class Socket {
  #url;
  #onEvent;
  #onState;
  #ws = null;
  #failures = 0;
  #hushedUntil = 0;
  #everOpened = false;
  #retryTimer = 0;
  #pingTimer = 0;
  #pongTimer = 0;

  constructor(url, { onEvent, onState }) {
    this.#url = url;
    this.#onEvent = onEvent;
    this.#onState = onState;
    this.kind = "connecting";
    window.addEventListener("online", () => this.open());
    window.addEventListener("offline", () => this.#lost());
    document.addEventListener("visibilitychange", () => {
      // A laptop that wakes up, or a phone tab that comes back: find out at once, not in 20 seconds.
      if (!document.hidden) this.kind === "online" ? this.#ping() : this.open();
    });
  }

  get online() {
    return this.kind === "online";
  }

  /** Connects now, whatever the backoff says; but not where the server has told us to stay away. */
  open() {
    if (this.kind === "ended" || Date.now() < this.#hushedUntil) return;
    if (this.#ws && this.#ws.readyState <= WebSocket.OPEN) return;
    clearTimeout(this.#retryTimer);
    if (!this.#everOpened && this.#failures >= BLOCKED_AFTER) this.#tell("blocked");
    else this.#tell("connecting");
    const ws = new WebSocket(this.#url);
    this.#ws = ws;
    ws.onmessage = ({ data }) => ws === this.#ws && this.#heard(JSON.parse(data));
    ws.onclose = ({ code }) => ws === this.#ws && this.#lost(code);
  }

  /** True when the frame was handed to an open socket. */
  send(frame) {
    if (!this.online) return false;
    this.#ws.send(JSON.stringify(frame));
    return true;
  }

  #heard(event) {
    clearTimeout(this.#pongTimer);
    if (event.type === "hello") {
      this.#failures = 0;
      this.#everOpened = true;
      this.#tell("online");
      this.#pingTimer = setInterval(() => this.#ping(), PING_EVERY);
    }
    // The server asks how far we have read, and sends no more to who does not say.
    if (event.type === "ping") return this.send({ type: "pong", t: event.t });
    return event.type === "pong" ? null : this.#onEvent(event);
  }

  #ping() {
    // A socket can be dead without being closed; only silence shows it.
    if (!this.send({ type: "ping", t: Date.now() })) return;
    clearTimeout(this.#pongTimer);
    this.#pongTimer = setTimeout(() => this.#lost(), PONG_WITHIN);
  }

  #lost(code) {
    clearInterval(this.#pingTimer);
    clearTimeout(this.#pongTimer);
    clearTimeout(this.#retryTimer);
    const ws = this.#ws;
    this.#ws = null;
    ws?.close();
    if (this.kind === "ended" || code === SESSION_ENDED) return this.#tell("ended");
    if (code === ABUSED) this.#hushedUntil = Date.now() + HUSHED_FOR * (1 + Math.random() / 4);
    if (Date.now() < this.#hushedUntil) {
      this.#retryTimer = setTimeout(() => this.open(), this.#hushedUntil - Date.now() + 1);
      return this.#tell("hushed", this.#hushedUntil);
    }
    if (!navigator.onLine) return this.#tell("offline");

    this.#failures += 1;
    const ceiling = Math.min(LONGEST_WAIT, 500 * 2 ** this.#failures);
    // Jitter: after a restart of the server not everybody comes back in the same instant.
    const wait = ceiling / 2 + (Math.random() * ceiling) / 2;
    this.#retryTimer = setTimeout(() => this.open(), wait);
    if (!this.#everOpened && this.#failures >= BLOCKED_AFTER) return this.#tell("blocked");
    return this.#tell("waiting", Date.now() + wait);
  }

  #tell(kind, retryAt = null) {
    if (kind === this.kind && !retryAt) return;
    this.kind = kind;
    this.#onState({ kind, retryAt });
  }
}
