// Asks for the state again and again, where no stream brings the events. Loaded when it is needed first.

const POLL_EVERY = 2500; // ms
const LOAD_EVERY = 4; // polls until also the conversation and the list are loaded

let hasBegun = false;
let polls = 0;

/** Poll from now on, whenever `socket` has no stream. */
export function poll(socket, { watcher, loader }) {
  if (hasBegun) return;
  hasBegun = true;
  setInterval(() => {
    if (!socket.isPolling || document.hidden) return;
    polls += 1;
    watcher.watchAll();
    if (polls % LOAD_EVERY) return;
    loader.reloadThread();
    loader.loadThreads();
  }, POLL_EVERY);
}
