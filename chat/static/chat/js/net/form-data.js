// Forms for uploads.

/** Return a form with the fields that have a value. */
export function formData(fields) {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) if (value) data.append(name, value);
  return data;
}
