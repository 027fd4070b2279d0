// Copying without `navigator.clipboard`, which a page without HTTPS does not have.
// Imports nothing: static files cannot import each other in a circle.

/** Copy `text` by selecting it. Return whether it worked. */
export function copySelected(text) {
  const { activeElement: before } = document;
  const field = document.createElement("textarea");
  Object.assign(field, { className: "for-screen-readers", value: text, readOnly: true });
  document.body.append(field);
  field.focus({ preventScroll: true });
  field.select();
  const isCopied = document.execCommand("copy");
  field.remove();
  before?.focus({ preventScroll: true });
  return isCopied;
}
