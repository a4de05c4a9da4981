// The chat: what is asked, what comes of it, and where it is kept.

import {confirmed, el, entered, filled, icon, iconButton, toast} from "./dom.js";
import {Refused, details, labelOf, sentence} from "./problems.js";
import {ask, markdown, rate, turns} from "./server.js";
import {Scope} from "./scope.js";
import {Sidebar} from "./sidebar.js";
import {EVERYTHING, Store} from "./store.js";
import {Thread} from "./thread.js";

// Turns that go along with the next question, as on the command line.
const HISTORY_TURNS = 20;
const HISTORY_CHARACTERS = 20_000;
const TITLE_CHARACTERS = 80;

export class Chat {
  constructor(root, start) {
    this.start = start;
    this.store = new Store(start.user);
    this.current = `polycite:current:${start.user}`;
    this.running = null;
    this.root = el("div", {class: "pc-app"});
    this.side = new Sidebar(start.labels, {onpick: (id) => this.pick(id), onfresh: () => this.fresh(), onclear: () => this.#clearAll()});
    this.scope = new Scope(start, (value) => this.#scoped(value));
    this.#build();
    root.replaceChildren(this.root);
    window.addEventListener("storage", (event) => this.store.owns(event.key) && this.#listed());
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.running) this.stop();
    });
  }

  get labels() {
    return this.start.labels;
  }

  // The conversation that this window showed before a reload, or a new one.
  async open() {
    const id = sessionStorage.getItem(this.current);
    if (id) await this.pick(id);
    if (!this.conversation) this.fresh();
  }

  // The same in another language.
  async relabel(start) {
    this.start = start;
    this.side.relabel(start.labels);
    this.scope.relabel(start);
    const typed = this.question.value;
    this.stop();
    await this.running?.done;
    this.#build();
    this.question.value = typed;
    await this.#shown();
  }

  #build() {
    const {labels} = this;
    this.thread = new Thread(labels, {
      onedit: (index, question) => this.#edited(index, question),
      onretry: (index) => this.#again(index),
      onrate: (index, rating, reason) => this.#rated(index, rating, reason),
      onwhich: (question, only) => this.ask(question, {only}),
    });
    this.thread.root.setAttribute("aria-label", labels.tab_chat);
    this.title = el("h2", {class: "pc-name", dir: "auto"});
    this.bar = el("header", {class: "pc-bar"}, this.title,
      iconButton("rename", labels.chat_rename, () => this.#rename()),
      iconButton("download", labels.chat_export, () => this.#export()),
      iconButton("trash", labels.chat_delete, () => this.#remove()));
    this.question = el("textarea", {id: "pc-question", class: "pc-input", rows: 1, dir: "auto", placeholder: labels.placeholder, "aria-label": labels.placeholder,
      "aria-describedby": "pc-hint", autocomplete: "off", enterkeyhint: "send"});
    this.go = el("button", {type: "submit", class: "pc-go"});
    const form = el("form", {class: "pc-compose"}, this.scope.root, el("div", {class: "pc-box"}, this.question, this.go), el("p", {id: "pc-hint", class: "pc-hint"}, labels.chat_hint));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.running) this.stop();
      else this.ask(this.question.value);
    });
    this.question.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      if (!this.running) this.ask(this.question.value);
    });
    // Where a browser does not grow the box by itself.
    if (!CSS.supports("field-sizing", "content")) {
      this.question.addEventListener("input", () => {
        this.question.style.height = "auto";
        this.question.style.height = `${this.question.scrollHeight}px`;
      });
    }
    this.root.replaceChildren(this.side.root, this.side.veil, el("div", {class: "pc-main"}, this.bar, this.thread.root, form));
    this.#going();
  }

  // -- which conversation

  fresh() {
    this.stop();
    this.conversation = {id: newId(), title: this.labels.fresh, at: Date.now(), scope: EVERYTHING, exchanges: []};
    sessionStorage.setItem(this.current, this.conversation.id);
    this.scope.set(EVERYTHING);
    this.#shown();
    this.question.focus();
  }

  async pick(id) {
    this.stop();
    const {conversation, dropped} = this.store.load(id);
    if (dropped) this.#dropped(dropped);
    if (!conversation) {
      this.#listed();
      return;
    }
    this.conversation = conversation;
    sessionStorage.setItem(this.current, id);
    this.scope.set(conversation.scope);
    await this.#shown();
    this.thread.turns.at(-1)?.scrollIntoView({block: "start"});
  }

  // Show the conversation, its answers made into HTML by the server.
  async #shown() {
    const mine = this.conversation;
    this.#listed();
    this.#named();
    let html = [];
    try {
      html = await turns(mine.exchanges);
      // What is no answer, somebody else has written there.
      const sound = (index) => html[index] || !mine.exchanges[index].answer;
      const kept = mine.exchanges.filter((_, index) => sound(index));
      if (kept.length < mine.exchanges.length) {
        this.#dropped(mine.exchanges.length - kept.length);
        html = html.filter((_, index) => sound(index));
        mine.exchanges = kept;
        this.#kept(mine);
      }
    } catch (error) {
      this.#tell(error);
    }
    if (this.conversation !== mine) return;
    if (mine.exchanges.length) this.thread.show(mine.exchanges, html);
    else this.thread.welcome(this.start, (question) => this.ask(question));
  }

  #listed() {
    this.side.show(this.store.list(), this.conversation?.id);
  }

  #named() {
    const empty = !this.conversation.exchanges.length;
    this.bar.hidden = empty;
    this.title.textContent = this.conversation.title;
    // Where it only repeats the first question below it, it is there for those who listen.
    this.title.classList.toggle("pc-unseen", this.conversation.title === shortened(this.conversation.exchanges[0]?.question ?? ""));
    document.title = empty ? "polycite" : `${this.conversation.title} · polycite`;
  }

  // -- asking

  // `only`: a document that this one question is asked of, {id, title}.
  async ask(text, {at = this.conversation.exchanges.length, only = null} = {}) {
    const question = text.trim();
    if (!/[\p{L}\p{N}]/u.test(question) || this.running || this.#tooLong(question)) return;
    this.scope.close();
    const mine = this.conversation;
    const asked = only ? {...this.scope.value, documents: [only]} : this.scope.value;
    const exchange = {question, answer: null, day: new Date().toISOString().slice(0, 10), asked, partial: "", rating: null};
    const history = turnsBefore(mine.exchanges.slice(0, at));
    if (!mine.exchanges.length && mine.title === this.labels.fresh) mine.title = shortened(question);
    mine.exchanges = [...mine.exchanges.slice(0, at), exchange];
    mine.scope = this.scope.value;
    mine.at = Date.now();
    this.#kept(mine);
    this.question.value = "";
    this.#named();
    const abort = new AbortController();
    const running = {abort, done: null};
    this.running = running;
    this.#going();
    running.done = this.#answered(mine, exchange, {at, history, signal: abort.signal}).finally(() => {
      this.running = null;
      this.#going();
    });
    await running.done;
  }

  // End what is being written, on the server too.
  stop() {
    this.running?.abort.abort();
  }

  async #answered(mine, exchange, {at, history, signal}) {
    const write = this.thread.begin(exchange, at);
    let html = null;
    try {
      for await (const {text, answer} of ask(exchange.question, {history, scope: exchange.asked, signal})) {
        if (answer) {
          [exchange.answer, exchange.partial] = [answer, ""];
          break;
        }
        exchange.partial += text;
        write(text);
      }
      [html] = await turns([exchange]);
    } catch (error) {
      if (error.name !== "AbortError") {
        if (!(error instanceof Refused)) throw error;
        exchange.failure = error;
        if (error.status === 401) this.#tell(error);
        // The remedy is often to ask in other words, or later.
        if (this.conversation === mine && !this.question.value) this.question.value = exchange.question;
      }
    }
    mine.at = Date.now();
    this.#kept(mine);
    if (this.conversation === mine) this.thread.finish(exchange, at, html);
  }

  #again(index) {
    return this.ask(this.conversation.exchanges[index].question, {at: index});
  }

  // The last question is asked anew in its place; an earlier one begins a conversation of its own, so that nothing is lost.
  #edited(index, question) {
    const {exchanges} = this.conversation;
    if (this.#tooLong(question)) return undefined;
    if (index === exchanges.length - 1) return this.ask(question, {at: index});
    const before = exchanges.slice(0, index);
    this.conversation = {id: newId(), title: shortened(index ? before[0].question : question), at: Date.now(), scope: this.scope.value, exchanges: before};
    sessionStorage.setItem(this.current, this.conversation.id);
    toast(this.labels.chat_branched);
    return this.#shown().then(() => this.ask(question));
  }

  async #rated(index, rating, reason) {
    const mine = this.conversation;
    const exchange = mine.exchanges[index];
    try {
      await rate(exchange, turnsBefore(mine.exchanges.slice(0, index)), rating, reason);
    } catch (error) {
      this.#tell(error);
      return false;
    }
    exchange.rating = rating;
    this.#kept(mine);
    return true;
  }

  #scoped(value) {
    this.conversation.scope = value;
    this.#kept(this.conversation);
  }

  #going() {
    const {labels} = this;
    const name = this.running ? labels.chat_stop : labels.ask;
    this.go.replaceChildren(icon(this.running ? "stop" : "send"), el("span", {}, name));
    this.go.classList.toggle("pc-stopping", Boolean(this.running));
    this.thread.root.setAttribute("aria-busy", String(Boolean(this.running)));
  }

  // The browser would cut what is pasted, and say nothing.
  #tooLong(question) {
    const count = [...question.replace(/\s+/g, " ")].length;
    const most = this.start.questionCharacters;
    if (count > most) toast(filled(this.labels.chat_too_long, {count, most}));
    return count > most;
  }

  #tell(error) {
    const {labels} = this;
    if (!(error instanceof Refused)) throw error;
    const signing = error.status === 401;
    const more = labelOf(error, labels) ? null : details(error, labels);
    toast(sentence(error, labels), {action: signing ? el("a", {href: "/login"}, labels.sign_in) : more, stay: signing});
  }

  // -- keeping

  #kept(conversation) {
    if (!this.store.save(conversation)) toast(this.labels.chat_storage_full, {stay: true});
    this.#listed();
  }

  #dropped(count) {
    toast(filled(this.labels.chat_dropped, {count}));
  }

  async #rename() {
    const title = await entered(this.labels, this.labels.chat_rename, this.conversation.title, this.labels.chat_save);
    if (!title) return;
    this.conversation.title = title;
    this.store.rename(this.conversation.id, title);
    this.#listed();
    this.#named();
  }

  async #remove() {
    const {id, title} = this.conversation;
    if (!(await confirmed(this.labels, filled(this.labels.chat_delete_confirm, {title}), this.labels.chat_delete))) return;
    this.stop();
    await this.running?.done;
    this.store.remove(id);
    this.fresh();
  }

  async #clearAll() {
    const count = this.store.list().length;
    if (!(await confirmed(this.labels, filled(this.labels.chat_delete_all_confirm, {count}), this.labels.chat_delete_all))) return;
    this.stop();
    await this.running?.done;
    this.store.clear();
    this.fresh();
  }

  async #export() {
    const {title, exchanges} = this.conversation;
    try {
      const url = URL.createObjectURL(new Blob([await markdown(title, exchanges)], {type: "text/markdown"}));
      el("a", {href: url, download: `${title.replace(/[^\p{L}\p{M}\p{N}]+/gu, "-").replace(/^-|-$/g, "").slice(0, 60) || "polycite"}.md`}).click();
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
    } catch (error) {
      this.#tell(error);
    }
  }
}

// The turns before a question as the assistant takes them, the latest that fit.
function turnsBefore(exchanges) {
  const found = [];
  let room = HISTORY_CHARACTERS;
  for (const {question, answer} of exchanges.toReversed()) {
    const pair = [{role: "user", content: question}, ...(answer ? [{role: "assistant", content: answer.answer}] : [])];
    room -= pair.reduce((sum, {content}) => sum + content.length, 0);
    if (room < 0 || found.length + pair.length > HISTORY_TURNS) break;
    found.unshift(...pair);
  }
  return found;
}

function shortened(question) {
  const line = question.replace(/\s+/g, " ");
  const letters = [...line];
  return letters.length <= TITLE_CHARACTERS ? line : `${letters.slice(0, TITLE_CHARACTERS - 1).join("")}…`;
}

// Not with randomUUID alone: browsers have it on https pages and this machine's own only.
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
