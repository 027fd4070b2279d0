// Makes what is on the page equal to newly written HTML and changes only what differs. What has the focus,
// is selected, opened or scrolled stays so.

/** Make the contents of `element` equal to `html`. */
export function morphHtml(element, html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  morphChildren(element, [...template.content.childNodes]);
}

/**
 * Make the child nodes of `parent`, from number `from` on, equal to the nodes `wanted`.
 * `keeps(node)` names nodes that keep their own contents.
 */
export function morphChildren(parent, wanted, { from = 0, keeps = () => false } = {}) {
  // An element with an id is found again wherever it has moved: rows come and go above it.
  const named = new Map([...parent.children].filter(({ id }) => id).map((child) => [child.id, child]));
  const stays = new Set(wanted.map(({ id }) => named.get(id)));
  let at = parent.childNodes[from] ?? null;
  for (const fresh of wanted) {
    const match = fresh.id ? named.get(fresh.id) : at;
    // Remove first what is gone: what stays then need not move, and moving would take its focus.
    while (fresh.id && match && at && at !== match && !stays.has(at)) at = removed(at);
    if (!match || !isSameKind(match, fresh) || (!fresh.id && match.id)) {
      parent.insertBefore(fresh, at);
      continue;
    }
    if (match === at) at = at.nextSibling;
    else parent.insertBefore(match, at);
    morphNode(match, fresh, keeps);
  }
  while (at) at = removed(at);
}

/** Change a text node only from where it differs, so that a selection before that stays. */
export function patchText(node, text) {
  const { data } = node;
  let same = data.length <= text.length && text.startsWith(data) ? data.length : 0;
  while (same < data.length && data[same] === text[same]) same += 1;
  if (data !== text) node.replaceData(same, data.length - same, text.slice(same));
}

function removed(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}

const isSameKind = (one, other) => one.nodeType === other.nodeType && one.nodeName === other.nodeName;

function morphNode(node, wanted, keeps) {
  if (node.isEqualNode(wanted) || keeps(node)) return;
  if (node.nodeType !== Node.ELEMENT_NODE) return patchText(node, wanted.data);
  for (const { name } of [...node.attributes]) {
    // The reader has opened it, not the server.
    if (!wanted.hasAttribute(name) && !(node.nodeName === "DETAILS" && name === "open")) node.removeAttribute(name);
  }
  for (const { name, value } of wanted.attributes) {
    if (node.getAttribute(name) !== value) node.setAttribute(name, value);
  }
  morphChildren(node, [...wanted.childNodes], { keeps });
}
