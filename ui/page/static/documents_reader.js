// Reading a document: a panel over the page, opened by any link to /?document=ID (&start=N&end=M marks words).
// The address changes with it, so it can be kept, sent, and left with the browser's own "back".

import {askText, told, wordTimes} from "./documents_server.js";
import {el} from "./dom.js";

let dialog = null;
let shown = null; // what the panel shows: the query of its link
let asking = null;
let scrolled = null; // watches whether the title is in sight

export function openDocument(id, {start, end} = {}) {
  const query = new URLSearchParams({document: id});
  if (start != null && end != null) {
    query.set("start", start);
    query.set("end", end);
  }
  history.pushState({document: id}, "", `/?${query}`);
  show(query);
}

export function closeDocument() {
  if (!dialog?.open) return;
  if (history.state?.document) history.back(); // and `follow` closes it
  else {
    history.replaceState(null, "", location.pathname);
    follow();
  }
}

export const shownDocument = () => (dialog?.open ? shown?.get("document") : null);

// Follows the address: at the start, and when it changes.
export function follow() {
  const query = new URLSearchParams(location.search);
  if (query.get("document")) show(query);
  else if (dialog?.open) {
    shown = null;
    dialog.close();
  }
}

export function startReader(labelsOf) {
  addEventListener("popstate", follow);
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const url = new URL(link.href, location.href);
    const id = url.searchParams.get("document");
    if (!id || url.origin !== location.origin || url.pathname !== "/") return;
    event.preventDefault();
    openDocument(id, {start: url.searchParams.get("start"), end: url.searchParams.get("end")});
  });
  startReader.labels = labelsOf;
  follow();
}

async function show(query) {
  const key = String(query);
  if (dialog?.open && shown && String(shown) === key) return;
  shown = query;
  asking?.abort();
  asking = new AbortController();
  const labels = await startReader.labels();
  if (shown !== query) return;
  const body = opened(labels);
  body.setAttribute("aria-busy", "true");
  body.replaceChildren(el("p", {class: "pd-nothing", role: "status"}, labels.loading));
  try {
    body.innerHTML = await askText(path(query), {signal: asking.signal});
    settled(body, labels.language);
  } catch (error) {
    if (error.name === "AbortError") return;
    const why = el("div", {class: "pd-nothing", role: "alert"}, ...told(error, labels));
    if (error.status === 401) why.append(" ", el("a", {href: "/login"}, labels.sign_in));
    body.replaceChildren(why);
  } finally {
    body.removeAttribute("aria-busy");
  }
}

function path(query) {
  const words = new URLSearchParams();
  for (const name of ["start", "end"]) if (/^\d+$/.test(query.get(name) ?? "")) words.set(name, query.get(name));
  return `/chat/documents/${encodeURIComponent(query.get("document"))}?${words}`;
}

function opened(labels) {
  if (!dialog) {
    dialog = el("dialog", {class: "pd-reader"});
    dialog.append(
      el("div", {class: "pd-reader-bar"},
        el("div", {class: "pd-reader-title", "aria-hidden": "true"}),
        el("button", {type: "button", class: "pd-button pd-close"}),
      ),
      el("div", {class: "pd-reader-body"}),
    );
    // Escape: by way of the address, like every other way out.
    dialog.addEventListener("cancel", (event) => {
      if (event.target !== dialog) return;
      event.preventDefault();
      closeDocument();
    });
    dialog.addEventListener("click", clicked);
    document.body.append(dialog);
  }
  dialog.setAttribute("aria-label", labels.document);
  dialog.querySelector(".pd-close").textContent = labels.close;
  dialog.querySelector(".pd-reader-title").textContent = "";
  if (!dialog.open) dialog.showModal();
  return dialog.querySelector(".pd-reader-body");
}

function clicked(event) {
  if (event.target === dialog || event.target.closest(".pd-close")) return closeDocument();
  if (event.target.closest(".pd-to-quote")) {
    event.preventDefault();
    return toQuote(dialog);
  }
  const part = event.target.closest(".pd-part");
  if (part) bring(part);
}

function settled(body, language) {
  wordTimes(body, language);
  const [name, bar] = [body.querySelector(".pd-name"), dialog.querySelector(".pd-reader-title")];
  bar.textContent = name.textContent;
  scrolled?.disconnect();
  scrolled = new IntersectionObserver(([entry]) => dialog.classList.toggle("pd-scrolled", !entry.isIntersecting), {root: body});
  scrolled.observe(name);
  for (const attribute of ["lang", "dir"]) bar.setAttribute(attribute, name.getAttribute(attribute));
  body.scrollTop = 0;
  if (!toQuote(body)) body.querySelector(".pd-name")?.focus({preventScroll: true});
}

function toQuote(root) {
  const quote = root.querySelector("#pd-quote");
  quote?.scrollIntoView({block: "center"});
  quote?.focus({preventScroll: true});
  return Boolean(quote);
}

// Another part of a long text takes the place of its button; what is read stays where it is.
async function bring(button) {
  const [body, text] = [button.closest(".pd-reader-body"), button.closest(".pd-text")];
  const id = button.closest(".pd-document").dataset.document;
  button.disabled = true;
  text.querySelector(".pd-wrong")?.remove();
  try {
    const html = await askText(`/chat/documents/${encodeURIComponent(id)}/text?part=${button.dataset.part}`);
    const before = button.nextElementSibling !== null && button === text.firstElementChild;
    const below = body.scrollHeight - body.scrollTop;
    const beside = [...text.querySelectorAll(".pd-part")].map((each) => Number(each.dataset.part));
    const made = el("template");
    made.innerHTML = html;
    // Its own button for the side from which it was asked for is not needed: that part is there.
    const [earlier, later] = ["first", "last"].map((end) => made.content[`${end}ElementChild`]);
    const back = before ? later : earlier;
    if (back?.matches?.(".pd-part") && !beside.includes(Number(back.dataset.part))) back.remove();
    const first = made.content.firstElementChild;
    button.replaceWith(made.content);
    if (before) body.scrollTop = body.scrollHeight - below;
    else first?.setAttribute("tabindex", "-1"), first?.focus({preventScroll: true});
  } catch (error) {
    button.disabled = false;
    button.after(el("div", {class: "pd-wrong", role: "alert"}, ...told(error, await startReader.labels())));
  }
}
