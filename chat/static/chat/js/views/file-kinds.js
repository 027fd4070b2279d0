// Which of the files that are chosen, dropped or pasted can be read.

import { $ } from "./dom.js";

/** Media types by their first part that cannot be read here, and exceptions: SVG, and what TypeScript is taken for. */
const UNREADABLE = { image: "picture", video: "video", audio: "recording" };
const TEXT_TOO = ["image/svg+xml", "video/mp2t"];

/** Return why a file cannot be taken, or null. */
export function whyNot({ file, isFolder }, { onAudio }) {
  if (isFolder || !file) return "folder";
  if (!file.size) return "empty";
  if (TEXT_TOO.includes(file.type)) return null;
  const [kind] = file.type.split("/");
  if (kind === "audio" && onAudio) return $("#mic").disabled ? "second" : null;
  return UNREADABLE[kind] ?? null;
}
