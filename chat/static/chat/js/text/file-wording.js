// Sentences about files that are attached, and about those that are not.

const READABLE = "Text, Markdown, CSV, PDF and Word (.docx) can be read.";
const MAX_NAMES = 5;

/** why -> what a file is, and what to do when it was the only one. */
const KINDS = {
  folder: ["a folder", "Attach a file of it."],
  empty: ["empty", ""],
  picture: ["a picture, which cannot be read here", READABLE],
  video: ["a video, which cannot be read here", READABLE],
  recording: ["a recording, which cannot be read here", READABLE],
  second: ["a second recording", "Wait until the first one is transcribed."],
};

function left(files, said) {
  const [{ name, why }] = files;
  if (files.length === 1 && why)
    return `${said ? "Not attached: " : ""}${quoted(name)} is ${KINDS[why].join(". ").trim()}`;
  const names = files.slice(0, MAX_NAMES).map((file) => (file.why ? `${file.name} (${shortOf(file.why)})` : file.name));
  if (files.length > MAX_NAMES) names.push(`${files.length - MAX_NAMES} more`);
  const rule = files.some((file) => !file.why) ? "One file can be sent with a message." : READABLE;
  return `Not attached: ${names.join(", ")}. ${rule}`;
}

const quoted = (name) => (name ? `“${name}”` : "This");
const shortOf = (why) => KINDS[why][0].split(",")[0];

const inPlaceOf = (name, before) => (before && before !== name ? ` in place of ${before}` : "");

export const FILES = {
  left,
  attached: (name, before) =>
    `${name} is attached${inPlaceOf(name, before)}. Write a question about it, or send it without one.`,
  tooLarge: (limit) => `The file is too large; the maximum is ${limit}.`,
  deleted: "Its conversation was deleted. It can be sent in another one.",
  gone: "This device had no room to keep the file. Attach it again.",
  busy: (name) => `${quoted(name)} is being sent. Attach the next file after that.`,
  closed: "Nothing can be written or attached here. Start a new conversation first.",
  picture: "The text was pasted, without the picture that came with it.",
  elsewhere: "Files can be attached only to a new message: paste them into the message field.",
};
