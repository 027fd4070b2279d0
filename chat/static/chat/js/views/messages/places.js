// Where the reader was in each conversation, as long as the page is open.

/** Create the memory of the list {element, scroll, drawn}; drawn: key -> {element, shown: {message}}. */
export function createPlaces({ element, scroll, drawn }) {
  const places = new Map(); // threadId -> {id, bottom}: a message, and where it ended on the screen
  let wanted = null;
  return {
    /** Remember the place in the conversation that is left; its end needs no memory. */
    leave(threadId) {
      const place = scroll.isFollowing() ? null : placeIn(scroll.scroller, element, drawn);
      if (place?.id) places.set(threadId, place);
      else places.delete(threadId);
    },
    /** Return the id of the message where the reader was; it is shown as soon as it is drawn. */
    returnTo(threadId) {
      wanted = places.get(threadId);
      return wanted?.id;
    },
    isWanted: () => Boolean(wanted),
    show() {
      const { id, bottom } = wanted ?? {};
      const entry = id && [...drawn.values()].find(({ shown }) => shown.message.id === id);
      wanted = null;
      if (!entry) return;
      scroll.stay();
      scroll.hold(entry.element, bottom)();
    },
  };
}

/** Return the message at the upper edge. Only the batch that is in view is looked into. */
function placeIn(scroller, element, drawn) {
  const { top: edge } = scroller.getBoundingClientRect();
  const atEdge = ({ children }) => [...children].find((child) => child.getBoundingClientRect().bottom > edge);
  const batch = atEdge(element);
  const message = batch && atEdge(batch);
  if (!message) return null;
  return { id: drawn.get(message.dataset.key).shown.message.id, bottom: message.getBoundingClientRect().bottom };
}
