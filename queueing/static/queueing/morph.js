// Makes what is on the page like newly written HTML, touching only what differs: what has the focus, is
// selected, open or scrolled stays so.

/** Make `element`'s contents those of `html`. */
export function fill(element, html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  children(element, template.content);
}

function children(old, fresh) {
  // An element with an id is found again wherever it has gone: rows come and go above it.
  const named = new Map([...old.children].filter((child) => child.id).map((child) => [child.id, child]));
  const stays = new Set([...fresh.children].map((child) => named.get(child.id)));
  let at = old.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    const match = wanted.id ? named.get(wanted.id) : at;
    // What is gone is taken away first: what stays need not move then, for moving it would take its focus.
    while (wanted.id && match && at && at !== match && !stays.has(at)) at = removed(at);
    if (!match || !alike(match, wanted) || (!wanted.id && match.id)) {
      old.insertBefore(wanted, at);
      continue;
    }
    if (match === at) at = at.nextSibling;
    else old.insertBefore(match, at);
    update(match, wanted);
  }
  while (at) at = removed(at);
}

function removed(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}

function alike(one, other) {
  return one.nodeType === other.nodeType && one.nodeName === other.nodeName;
}

function update(old, fresh) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  for (const { name } of [...old.attributes]) {
    // Whoever reads has opened it, not the server.
    if (!fresh.hasAttribute(name) && !(old.nodeName === "DETAILS" && name === "open")) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  children(old, fresh);
}
