// What replaces the WebSocket of the dashboard where a network or a project has none, with the same methods: the
// page is read again every few seconds.

const EVERY = 3_000; // ms
const LONGEST_BETTER = 60_000; // ms until a WebSocket is tried again
const SESSION_ENDED = 4401; // as the socket is closed when the session has ended

/** Read the page with the selection `view` from now on. `url` returns the address of the WebSocket, or "". */
export function openPageWire({ url, view }) {
  const ends = new AbortController();
  const wire = { readyState: WebSocket.CONNECTING, send, close };
  let readTimer = 0;
  let betterTimer = 0;

  async function read() {
    clearTimeout(readTimer);
    try {
      const address = `${location.pathname}?${new URLSearchParams(view)}`;
      const response = await fetch(address, { signal: ends.signal, cache: "no-store" });
      if (response.redirected) return close(SESSION_ENDED);
      if (!response.ok) return close();
      deliver(await response.text());
    } catch {
      return close(); // no network, or closed already
    }
    readTimer = setTimeout(read, EVERY);
    return null;
  }

  function deliver(html) {
    const page = new DOMParser().parseFromString(html, "text/html");
    const parts = [...page.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part.innerHTML]);
    const { at } = page.querySelector("[data-at]").dataset;
    if (ends.signal.aborted) return;
    wire.readyState = WebSocket.OPEN;
    wire.onmessage({ data: JSON.stringify({ type: "parts", at, parts: Object.fromEntries(parts) }) });
  }

  function send(text) {
    if (JSON.parse(text).show) read();
  }

  function close(code) {
    clearTimeout(readTimer);
    clearTimeout(betterTimer);
    if (ends.signal.aborted) return;
    ends.abort();
    wire.readyState = WebSocket.CLOSED;
    wire.onclose({ code });
  }

  /** Try a WebSocket after a while: the network may be another by then. */
  function planBetter(wait) {
    if (ends.signal.aborted) return;
    betterTimer = setTimeout(() => {
      const ws = new WebSocket(url());
      ws.onclose = () => planBetter(Math.min(2 * wait, LONGEST_BETTER));
      ws.onmessage = ({ data }) => (ends.signal.aborted ? ws.close() : wire.onbetter(ws, data));
    }, wait);
  }

  setTimeout(read);
  if (url) planBetter(EVERY);
  return wire;
}
