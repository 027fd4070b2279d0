// A file that was deleted, moved or changed after it was chosen: browsers report its upload as a lost connection.

const sentence = (name) =>
  `“${name}” cannot be read any more: it was deleted, moved or changed after it was chosen. Attach it again.`;

/** Return the sentence about `file` if it is no longer as it was chosen, else null. */
export async function lostFile(file) {
  if (!file) return null;
  return file
    .slice(0, 1)
    .arrayBuffer()
    .then(
      () => null,
      () => sentence(file.name),
    );
}
