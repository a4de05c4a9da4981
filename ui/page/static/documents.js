// The documents' tab: what is indexed, searched and turned page by page; deleting; the place where files are dropped.
// The server makes its HTML (ui/page/documents_html.py); this script asks for it and puts it there.

import {closeDocument, shownDocument, startReader} from "./documents_reader.js";
import {ask, askText, told, wordTimes} from "./documents_server.js";
import {el, filled} from "./dom.js";
import {Uploads} from "./documents_uploads.js";
import {silent} from "./silence.js";

const PLACE = "pc-documents";
const TYPED = 200; // milliseconds after the last key
const AGAIN_MS = 3000;

const wanted = {words: "", order: "newest", page: 1};
let place = null; // where Gradio has made room
let tab = null; // what stands there
let labels = null;
let latest = 0; // the last request for the list: answers to earlier ones are late
const uploads = new Uploads(() => refresh());

// -- the tab

async function fill() {
  const mine = ++latest;
  let html;
  try {
    html = await askText(`/chat/documents?${new URLSearchParams(wanted)}`);
  } catch (error) {
    if (labels) return unlisted(error);
    setTimeout(() => mine === latest && fill(), AGAIN_MS); // the server is starting, or was restarted
    return silent("documents", error.status !== 401); // then the chat leads to the login
  }
  if (mine !== latest) return;
  silent("documents", false);
  const made = el("template");
  made.innerHTML = html;
  tab = made.content.firstElementChild;
  labels = {...JSON.parse(tab.dataset.labels), language: tab.dataset.language};
  wordTimes(tab, labels.language);
  place?.replaceChildren(tab);
  uploads.attach(tab.querySelector(".pd-add"), labels, tab.querySelector(".pd-status"));
  tab.addEventListener("click", clicked);
  const form = tab.querySelector(".pd-search");
  form.addEventListener("submit", (event) => event.preventDefault());
  let typed;
  form.words.addEventListener("input", () => {
    clearTimeout(typed);
    typed = setTimeout(() => refresh({words: form.words.value, page: 1}, {tell: true}), TYPED);
  });
  form.order.addEventListener("change", () => refresh({order: form.order.value, page: 1}));
}

// Asks for the list again, with other wishes if given.
async function refresh(changes = {}, {tell = false} = {}) {
  Object.assign(wanted, changes);
  if (!tab) return fill();
  const mine = ++latest;
  let html;
  try {
    html = await askText(`/chat/documents/list?${new URLSearchParams(wanted)}`);
  } catch (error) {
    if (mine === latest) unlisted(error);
    return;
  }
  if (mine !== latest) return;
  const list = tab.querySelector(".pd-list");
  list.innerHTML = html;
  wordTimes(list, labels.language);
  if (tell) status(list.querySelector("[data-count]")?.textContent ?? "");
}

// The list stays as it was, and that is said above it.
function unlisted(error) {
  const list = tab.querySelector(".pd-list");
  list.querySelector(":scope > .pd-wrong")?.remove();
  list.prepend(el("div", {class: "pd-wrong", role: "alert"}, ...told(error, labels)));
}

function status(words) {
  if (tab) tab.querySelector(".pd-status").textContent = words;
}

async function clicked(event) {
  const turn = event.target.closest(".pd-turn");
  if (!turn) return;
  const focused = turn.dataset.page > wanted.page ? ":last-child" : ":first-child";
  await refresh({page: Number(turn.dataset.page)});
  tab.querySelector(".pd-list").scrollIntoView({block: "start"});
  const next = tab.querySelector(`.pd-turn${focused}:enabled`) ?? tab.querySelector(".pd-turn:enabled");
  next?.focus({preventScroll: true});
  status(tab.querySelector(".pd-here")?.textContent ?? "");
}

// -- deleting

document.addEventListener("click", (event) => {
  const button = event.target.closest?.(".pd-delete[data-delete]");
  if (button) confirmed(button);
});

function confirmed(button) {
  const {delete: id, title} = button.dataset;
  const [cancel, go] = ["cancel", "delete"].map((name) =>
    el("button", {type: "button", class: `pd-button pd-${name}-it`, autofocus: name === "cancel"}, labels[name]),
  );
  const failed = el("div", {class: "pd-wrong", role: "alert"});
  const dialog = el("dialog", {class: "pd-dialog", "aria-labelledby": "pd-sure", "aria-describedby": "pd-what pd-then"},
    el("h2", {id: "pd-sure"}, labels.confirm),
    el("p", {id: "pd-what", class: "pd-what", dir: "auto"}, title),
    el("p", {id: "pd-then"}, labels.confirm_text),
    failed,
    el("div", {class: "pd-choice"}, cancel, go),
  );
  const row = [...(tab?.querySelectorAll("tbody tr") ?? [])].indexOf(button.closest("tr"));
  cancel.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  go.addEventListener("click", async () => {
    cancel.disabled = go.disabled = true;
    try {
      await ask(`/v1/documents/${encodeURIComponent(id)}`, {method: "DELETE"});
    } catch (error) {
      if (error.status !== 404) { // else somebody else was faster
        failed.replaceChildren(...told(error, labels));
        cancel.disabled = go.disabled = false;
        return cancel.focus();
      }
    }
    dialog.close();
    if (shownDocument() === id) closeDocument();
    await refresh();
    const titles = tab.querySelectorAll(".pd-open");
    (titles[Math.min(Math.max(row, 0), titles.length - 1)] ?? tab.querySelector("#pd-words")).focus();
    status(filled(labels.deleted, {title}));
  });
  document.body.append(dialog);
  dialog.showModal();
}

// -- the start

function look() {
  const found = document.getElementById(PLACE);
  if (!found || found === place) return;
  place = found;
  if (tab) place.replaceChildren(tab);
  else fill();
}

new MutationObserver(look).observe(document.body, {childList: true, subtree: true});
document.addEventListener("polycite:language", () => labels?.language !== document.documentElement.lang && fill());
// A file that misses the place where it is to be dropped must not take the page away.
for (const kind of ["dragover", "drop"]) {
  addEventListener(kind, (event) => {
    if (event.dataTransfer?.types.includes("Files")) event.preventDefault();
  });
}
startReader(async () => {
  while (!labels) {
    if (!latest) fill();
    await new Promise((resume) => setTimeout(resume, 50));
  }
  return labels;
});
look();
