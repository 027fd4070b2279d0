// Files and text that are chosen, dropped or pasted on the page. What does the rest is loaded with the first of them.

import { drafts } from "../device/drafts.js";
import { FIELDS } from "../keys.js";
import { FILE_OFFLINE } from "../text/error-messages.js";
import { $, write } from "./dom.js";

/** Create the intake; options: see attachments.js. onAlone(question): none of the chosen files can be sent with it. */
export function createFileIntake(options) {
  let attachments = null;
  let loading = null;
  let taking = null; // files were chosen, and attachments.js is not loaded yet
  const load = () =>
    (loading ??= import("./attachments.js").then(
      (module) => {
        attachments = module.createAttachments(options);
        attachments.show(options.drafting.place);
        return attachments;
      },
      () => (loading = null), // the connection was lost: the next one loads it
    ));
  const use = async (work, otherwise) => {
    if (await load()) return work(attachments);
    otherwise?.();
    return options.notice.tell(FILE_OFFLINE);
  };
  const hold = (taken) => {
    taking = taken.finally(() => taking === held && (taking = null));
    const held = taking;
  };
  const take = (items) => hold(use((loaded) => loaded.take(items)));
  connectPicker(load, take);
  const paste = (pasted) => {
    const pasting = use(
      (loaded) => loaded.paste(pasted),
      () => write(pasted.text, $("#message")),
    );
    if (pasted.items.length) hold(pasting);
  };
  connectPaste(paste);
  connectDrop({ load, take, paste });
  return {
    async send(question) {
      await taking;
      if (attachments?.isReady) attachments.send(question);
      else if (!attachments) options.restore(question);
      else if (question) options.onAlone(question);
    },
    get isReady() {
      return Boolean(taking || attachments?.isReady);
    },
    sendText: (text) =>
      use(
        (loaded) => loaded.sendText(text),
        () => options.restore(text),
      ),
    /** Show the document of another draft. */
    show: (place) => (attachments ? attachments.show(place) : drafts.read(place).file && load()),
    /** Follow a conversation that has another place from now on. */
    move(from, to) {
      if (attachments) attachments.move(from, to);
      else if (drafts.read(from).file) load().then((loaded) => loaded?.move(from, to));
    },
    holds: (place) => Boolean(attachments?.holds(place)),
    forget: (place) => attachments?.forget(place),
  };
}

function connectPicker(load, take) {
  const picker = $("#file");
  $("#attach").addEventListener("click", () => {
    load();
    picker.click();
  });
  picker.addEventListener("change", () => {
    take([...picker.files].map((file) => ({ name: file.name, file })));
    picker.value = ""; // the same file can be chosen again
    $("#message").focus();
  });
}

/** The browser pastes text into the field that has the focus; everything else is pasted by us. */
function connectPaste(paste) {
  document.addEventListener("paste", (event) => {
    const pasted = { ...contentsOf(event.clipboardData), target: event.target };
    if ($("dialog[open]") || (event.target.closest(FIELDS) && !pasted.items.length)) return;
    event.preventDefault();
    paste(pasted);
  });
}

function connectDrop({ load, take, paste }) {
  let isOurs = false; // dragged from this page, for example a selected word
  document.addEventListener("dragstart", () => (isOurs = true));
  document.addEventListener("dragend", () => (isOurs = false));
  for (const name of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(name, (event) => {
      const { dataTransfer, target } = event;
      const hasFiles = dataTransfer?.types.includes("Files");
      if (!hasFiles && (isOurs || target.closest?.(FIELDS))) return;
      event.preventDefault();
      $("#app").toggleAttribute("data-dropping", name === "dragover");
      load();
      if (name !== "drop") return;
      const dropped = contentsOf(dataTransfer);
      if (hasFiles) take(dropped.items);
      else paste({ ...dropped, target: document.body });
    });
  }
}

/** Return what must be read at once, during the event. */
function contentsOf(data) {
  const items = [...data.items].filter(({ kind }) => kind === "file").map(describe);
  const text = data.getData("text/plain") || data.getData("text/uri-list");
  return { items, text, hasHtml: data.types.includes("text/html") };
}

function describe(item) {
  const [file, entry] = [item.getAsFile(), item.webkitGetAsEntry?.()];
  return { name: file?.name ?? entry?.name ?? "", file, isFolder: Boolean(entry?.isDirectory) };
}
