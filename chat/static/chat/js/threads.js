// The list of conversations: find, open, rename, delete.

import { $, clone, setText } from "./dom.js";
import { dayWords } from "./words.js";

export function threadList({ companions, onFind, onOpen, onRename, onDelete, onMore }) {
  const list = $("#threads");
  const note = $("#threads-note");
  const find = $("#find");
  const dialog = $("#confirm-delete");
  let last = null;
  let trouble = null;
  let found = { wanted: "", items: null }; // what the server found for what is in the field
  let looking = 0;

  function draw(state) {
    last = state;
    const { status, items, more } = state.threads;
    const wanted = find.value.trim().toLocaleLowerCase();
    const answered = wanted && found.wanted === wanted && found.items;
    const shown = answered || items.filter((thread) => thread.title.toLocaleLowerCase().includes(wanted));
    const busy = new Set(Object.values(state.busy));
    $("#threads-loading").hidden = status !== "loading";
    $("#threads-more").hidden = !more || Boolean(wanted);

    const existing = new Map([...list.children].map((item) => [item.dataset.id, item]));
    const rows = [];
    for (const thread of shown) {
      const day = wanted ? "" : dayWords(thread.updatedAt); // what was found has another order
      if (day && !rows.some((row) => row.dataset.id === day)) rows.push(existing.get(day) ?? createDay(day));
      const item = existing.get(thread.id) ?? createRow(thread);
      drawRow(item, thread, { current: state.view.threadId === thread.id, busy: busy.has(thread.id) });
      rows.push(item);
    }
    rows.forEach((item, index) => {
      if (list.children[index] !== item) list.insertBefore(item, list.children[index] ?? null);
    });
    while (list.children.length > rows.length) list.lastElementChild.remove();
    setText(note, trouble?.items === items ? trouble.text : noteFor(status, items, shown, wanted && !answered));
    note.hidden = !note.textContent;
  }

  function noteFor(status, items, shown, isLooking) {
    if (isLooking && status === "ready") return found.failed ? "The search does not work right now." : "Looking…";
    if (status === "failed") return "Your conversations could not be loaded. They will be, once the connection is back.";
    if (status === "loading" || shown.length) return "";
    return items.length ? "Nothing like that was said." : "Your conversations will appear here.";
  }

  function createDay(words) {
    const item = document.createElement("li");
    item.className = "threads__day";
    item.dataset.id = item.textContent = words;
    return item;
  }

  function createRow(thread) {
    const item = clone("thread");
    item.dataset.id = thread.id;
    item.dataset.companion = thread.companion;
    $(".thread__link", item).href = `/t/${thread.id}`;
    $("[download]", item).href = `/api/threads/${thread.id}/transcript.md`;
    return item;
  }

  function drawRow(item, thread, { current, busy }) {
    const link = $(".thread__link", item);
    const title = thread.title || "Untitled";
    setText($(".thread__title", item), title);
    $(".thread__more", item).setAttribute("aria-label", `More for “${title}”`);
    drawSnippet($(".thread__snippet", item), thread.snippet);
    link.title = `${title} · ${companions.get(thread.companion)?.name ?? ""}`;
    item.toggleAttribute("data-busy", busy);
    item.toggleAttribute("data-current", current);
    current ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current");
  }

  function drawSnippet(line, snippet) {
    line.hidden = !snippet;
    if (!snippet) return;
    const mark = document.createElement("mark");
    mark.textContent = snippet.match;
    line.replaceChildren(snippet.before, mark, snippet.after);
  }

  function look() {
    const wanted = find.value.trim().toLocaleLowerCase();
    clearTimeout(looking);
    if (wanted && wanted !== found.wanted) {
      looking = setTimeout(async () => {
        const items = await onFind(wanted).catch(() => null);
        if (find.value.trim().toLocaleLowerCase() === wanted) found = { wanted, items, failed: !items };
        draw(last);
      }, 250);
    }
    if (last) draw(last);
  }

  function lookAgain() {
    found.wanted = "";
    look();
  }

  const actions = {
    "open-thread"(item, event) {
      // A new tab on Ctrl, Shift or the middle button stays the browser's business.
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      onOpen(item.dataset.id);
    },
    "thread-more"(item) {
      const panel = $(".thread__actions", item);
      panel.hidden = !panel.hidden;
      $(".thread__more", item).setAttribute("aria-expanded", !panel.hidden);
    },
    "rename-thread": (item) => startRenaming(item),
    async "delete-thread"(item) {
      const title = $(".thread__title", item).textContent;
      setText($("[data-slot=title]", dialog), `“${title}”`);
      dialog.returnValue = "keep";
      dialog.showModal();
      dialog.onclose = () => dialog.returnValue === "delete" && onDelete(item.dataset.id).then(lookAgain);
    },
  };

  function startRenaming(item) {
    const row = $(".thread__row", item);
    const before = $(".thread__title", item).textContent;
    const input = document.createElement("input");
    input.className = "thread__name";
    input.value = before;
    input.maxLength = 120;
    input.dir = "auto";
    input.setAttribute("aria-label", "Title of the conversation");
    actions["thread-more"](item);
    row.hidden = true;
    item.prepend(input);
    input.select();

    const finish = (save) => {
      if (!input.isConnected) return;
      const title = input.value.trim();
      input.onblur = null;
      input.remove();
      row.hidden = false;
      $(".thread__link", item).focus();
      if (save && title && title !== before) onRename(item.dataset.id, title).then(lookAgain);
    };
    input.onblur = () => finish(true);
    input.onkeydown = (event) => {
      if (event.key !== "Enter" && event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      finish(event.key === "Enter");
    };
  }

  list.addEventListener("click", (event) => {
    const target = event.target.closest("[data-do]");
    if (target) actions[target.dataset.do]?.(target.closest(".thread"), event);
  });
  find.addEventListener("input", look);
  $("#threads-more").addEventListener("click", onMore);

  return {
    draw,
    /** Shows what went wrong with the list, until it is next loaded. */
    explain(text) {
      trouble = { text, items: last?.threads.items };
      draw(last);
    },
  };
}
