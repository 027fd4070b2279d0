// The pages of the list of conversations: what is loaded stays, whichever page comes. Pure functions.

/** Return the list with its newest page; what was loaded below it stays, unless there may be a gap in between. */
export function withNewest({ items, next }, page) {
  const places = new Map(items.map(({ id }, index) => [id, index]));
  const unchanged = ({ id, updatedAt }) => items[places.get(id)]?.updatedAt === updatedAt;
  const last = page.next && page.items.findLast(unchanged);
  const below = last ? without(items.slice(places.get(last.id) + 1), page.items) : [];
  return below.length ? { items: [...page.items, ...below], next } : page;
}

/** Return the list with the page that follows it; unchanged if the list ends elsewhere by now. */
export const withOlder = (list, page, before) =>
  list.next === before ? { items: [...list.items, ...without(page.items, list.items)], next: page.next } : list;

function without(threads, others) {
  const ids = new Set(others.map(({ id }) => id));
  return threads.filter(({ id }) => !ids.has(id));
}
