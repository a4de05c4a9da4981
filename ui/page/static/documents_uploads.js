// Files on their way to becoming documents. Each is sent to POST /v1/documents, and asked after until its end. What
// the server has taken stays known over a reload of the page; what it has not is lost with the page, so leaving asks.

import {ask, askJson, wordSize} from "./documents_server.js";
import {ENDS, filesOf, kept, posted, readable, restored} from "./documents_files.js";
import {el, filled} from "./dom.js";
import {labelOf, sentence} from "./problems.js";

const GROUP = {files: 10, bytes: 20e6}; // of one request: small files together
const POLL = {first: 400, longest: 3000};
// The page sends the files again after these, and of some of them there is nothing to say: that the files wait is seen.
const QUIET = new Set(["busy", "rate-limited", "uploads-full"]);
const LATER = new Set([...QUIET, "unreached", "index-missing", "index-busy", "index-unreachable", "index-mismatch"]);
const SHOWN = {queued: "waiting", working: "reading", waiting: "waiting", sending: "sending"};

const sleep = (milliseconds) => new Promise((resume) => setTimeout(resume, milliseconds));

// `changed()` is called when a document came in.
export class Uploads {
  constructor(changed) {
    this.changed = changed;
    this.items = restored();
    this.trouble = null;
    this.rows = new Map();
    this.wake = () => {};
    addEventListener("beforeunload", (event) => {
      if (this.items.some((item) => item.file && !ENDS.has(item.state))) event.preventDefault();
    });
    this.poll();
  }

  // Shows itself in a tab that was made; `area` null: its reader may not upload.
  attach(area, labels, status) {
    const again = Boolean(this.labels);
    Object.assign(this, {area, labels, status});
    if (!area) return;
    this.limits = {
      file: Number(area.dataset.fileBytes),
      request: Number(area.dataset.requestBytes),
      files: Number(area.dataset.requestFiles),
    };
    this.rows.clear();
    const [input, drop] = [area.querySelector("input[type=file]"), area.querySelector(".pd-drop")];
    input.addEventListener("change", () => {
      this.add([...input.files]);
      input.value = "";
    });
    drop.addEventListener("dragover", (event) => {
      event.preventDefault();
      drop.classList.add("pd-over");
    });
    drop.addEventListener("dragleave", () => drop.classList.remove("pd-over"));
    drop.addEventListener("drop", async (event) => {
      event.preventDefault();
      drop.classList.remove("pd-over");
      this.add(await filesOf(event.dataTransfer));
    });
    area.querySelector(".pd-stop").addEventListener("click", () => this.cancel(this.items));
    area.querySelector(".pd-clear").addEventListener("click", () => this.clear());
    if (again) for (const item of this.items) item.stale = Boolean(item.job); // words of another language
    this.show();
    this.wake();
  }

  add(files) {
    for (const file of files) this.items.push({name: file.name, size: file.size, file, state: "waiting"});
    this.show();
    this.pump();
  }

  clear() {
    this.items = this.items.filter((item) => !ENDS.has(item.state));
    this.show();
    this.area.querySelector("input[type=file]").focus();
  }

  // -- sending

  async pump() {
    if (this.pumping) return;
    this.pumping = true;
    for (let group; (group = await this.next()).length; ) await this.send(group);
    this.pumping = false;
  }

  // The files of the next request, none when all are sent.
  async next() {
    const group = [];
    let bytes = 0;
    for (const item of this.items.filter((each) => each.state === "waiting" && each.file)) {
      const full = group.length >= Math.min(GROUP.files, this.limits.files);
      if (item.state !== "waiting") continue; // cancelled while another one was looked at
      if (group.length && (full || bytes + item.size > Math.min(GROUP.bytes, this.limits.request))) break;
      if (item.size > Math.min(this.limits.file, this.limits.request)) this.end(item, "refused", "too_large");
      // A folder, or a file that was moved meanwhile.
      else if (!(await readable(item.file))) this.end(item, "failed", "unread");
      else {
        group.push(item);
        bytes += item.size;
      }
    }
    const wanted = group.filter((item) => item.state === "waiting" && this.items.includes(item));
    return wanted.length || !group.length ? wanted : this.next();
  }

  async send(group) {
    for (const item of group) Object.assign(item, {state: "sending", sent: 0, word: null});
    this.show();
    const {job, refused} = await posted(group, () => this.show());
    if (refused?.status !== 0) this.worry(null);
    if (job) {
      group.forEach((item, ordinal) => {
        Object.assign(item, {job: job.id, ordinal, state: "queued", file: null});
      });
      this.wake();
      await this.cancel(group.filter((item) => item.unwanted));
    } else if (LATER.has(refused.code)) {
      for (const item of group) item.state = item.unwanted ? "cancelled" : "waiting";
      this.worry(refused.code === "unreached" ? "unreached" : QUIET.has(refused.code) ? null : labelOf(refused, this.labels));
      await sleep(1000 * Math.min(60, refused.after));
    } else {
      const word = refused.status === 413 ? "too_large" : labelOf(refused, this.labels) ?? "failed_why";
      for (const item of group) this.end(item, word === "too_large" ? "refused" : "failed", word, refused.message);
    }
    this.show();
  }

  retry(item) {
    Object.assign(item, {state: "waiting", word: null, detail: ""});
    this.show();
    this.pump();
  }

  // -- giving them up

  // What was not sent yet stays here; what is being sent is given up once the server has it.
  async cancel(items) {
    const jobs = new Map();
    for (const item of items) {
      if (item.state === "waiting") this.end(Object.assign(item, {file: null}), "cancelled", null);
      else if (item.state === "sending") item.unwanted = true;
      else if (item.job && !ENDS.has(item.state)) jobs.set(item.job, [...(jobs.get(item.job) ?? []), item]);
    }
    this.show();
    for (const [job, given] of jobs) {
      const places = new URLSearchParams(given.map((item) => ["file", item.ordinal]));
      try {
        await ask(`/v1/documents/jobs/${job}?${places}`, {method: "DELETE"});
      } catch (error) {
        const said = sentence(error, this.labels);
        this.status.textContent = said;
        for (const item of given) Object.assign(item, {word: null, said, detail: error.message, unwanted: false});
        this.show();
        continue;
      }
      await this.look(given);
    }
  }

  // -- what becomes of them

  async poll() {
    let pause = POLL.first;
    for (;;) {
      const open = this.items.filter((item) => item.job && (item.stale || !ENDS.has(item.state)));
      if (!this.labels || !open.length) {
        await new Promise((resume) => (this.wake = resume));
        pause = POLL.first;
        continue;
      }
      pause = (await this.look(open)) ? POLL.first : Math.min(POLL.longest, pause * 1.3);
      await Promise.race([sleep(pause), new Promise((resume) => (this.wake = resume))]);
    }
  }

  // Asks after files; whether anything changed.
  async look(open) {
    const jobs = [...new Set(open.map((item) => item.job))].slice(0, 100);
    let found;
    try {
      found = await askJson(`/chat/uploads?${new URLSearchParams(jobs.map((job) => ["jobs", job]))}`);
    } catch (error) {
      this.worry(error.status === 401 ? "signed_out" : "unreached");
      return false;
    }
    this.worry(null);
    let [moved, added] = [false, false];
    for (const item of open.filter((each) => jobs.includes(each.job))) {
      const file = found[item.job]?.[item.ordinal];
      const before = `${item.state} ${item.word} ${item.said}`;
      if (file) Object.assign(item, file, {word: null, stale: false});
      else if (!ENDS.has(item.state)) Object.assign(item, {state: "failed", word: "forgotten", stale: false});
      else item.stale = false;
      if (before === `${item.state} ${item.word} ${item.said}`) continue;
      moved = true;
      if (ENDS.has(item.state) && !ENDS.has(before.split(" ")[0])) this.announce(item);
      added ||= item.state === "indexed";
    }
    if (moved) this.show();
    if (added) this.changed();
    return moved;
  }

  // What keeps all of them waiting; null: nothing.
  worry(word) {
    if (this.trouble === word) return;
    this.trouble = word;
    this.show();
  }

  end(item, state, word, detail = "") {
    Object.assign(item, {state, word, detail});
    this.announce(item);
  }

  announce(item) {
    if (!this.status) return;
    this.status.textContent = `${item.name}: ${this.labels[item.state]}. ${this.why(item)} ${this.progress()}`;
  }

  progress() {
    const done = this.items.filter((item) => ENDS.has(item.state)).length;
    return filled(this.labels.progress, {done, total: this.items.length});
  }

  spoken(word) {
    const link = word === "signed_out" ? [" ", el("a", {href: "/login"}, this.labels.sign_in)] : [];
    return [this.labels[word], ...link];
  }

  why(item) {
    const words = item.word ? this.labels[item.word] ?? "" : item.said ?? "";
    return filled(words, {size: this.limits ? this.limits.file / 1e6 : ""});
  }

  // -- on the page

  show() {
    kept(this.items);
    if (!this.area) return;
    const list = this.area.querySelector(".pd-files");
    this.area.querySelector(".pd-uploads").hidden = !this.items.length;
    this.area.querySelector(".pd-done").textContent = this.progress();
    const trouble = this.area.querySelector(".pd-trouble");
    if (trouble.dataset.word !== String(this.trouble)) {
      trouble.dataset.word = this.trouble;
      trouble.replaceChildren(...(this.trouble ? this.spoken(this.trouble) : []));
    }
    this.area.querySelector(".pd-stop").hidden = !this.items.some((item) => !ENDS.has(item.state) && !item.unwanted);
    this.area.querySelector(".pd-clear").hidden = !this.items.some((item) => ENDS.has(item.state));
    for (const [item, row] of this.rows) {
      if (this.items.includes(item)) continue;
      row.remove();
      this.rows.delete(item);
    }
    for (const item of this.items) {
      if (!this.rows.has(item)) {
        this.rows.set(item, this.row(item));
        list.prepend(this.rows.get(item)); // the newest on top
      }
      this.update(item, this.rows.get(item));
    }
  }

  row(item) {
    return el("li", {class: "pd-file"},
      el("span", {class: "pd-file-name", dir: "auto"}, item.name),
      el("span", {class: "pd-file-size"}, wordSize(item.size, this.labels.language)),
      el("span", {class: "pd-file-state"}),
      el("progress", {max: 1, "aria-label": item.name}),
      el("p", {class: "pd-file-why"}),
      el("span", {class: "pd-file-act"}),
    );
  }

  update(item, row) {
    const state = item.state === "sending" && !item.sent ? "waiting" : item.state; // it goes after others
    row.dataset.state = state;
    const part = (name) => row.querySelector(`.pd-file-${name}`);
    part("state").textContent = this.labels[SHOWN[state] ?? state];
    const bar = row.querySelector("progress");
    bar.hidden = !["sending", "working"].includes(state) || Boolean(this.trouble);
    if (state === "sending") bar.value = item.sent;
    else bar.removeAttribute("value");
    const looks = JSON.stringify([item.state, item.word, item.said, item.detail, item.document, Boolean(item.file), item.unwanted]);
    if (row.dataset.looks === looks) return;
    row.dataset.looks = looks;
    part("why").replaceChildren(...(item.word === "signed_out" ? this.spoken(item.word) : [this.why(item)]));
    if (item.detail) {
      const more = el("details", {}, el("summary", {}, this.labels.details));
      more.append(el("span", {lang: "en", dir: "ltr"}, item.detail));
      part("why").append(more);
    }
    const focused = part("act").contains(document.activeElement);
    part("act").replaceChildren(...this.acts(item));
    if (focused) part("act").querySelector("button, a")?.focus();
  }

  acts(item) {
    const made = [];
    if (item.document) made.push(el("a", {class: "pd-button", href: `/?document=${encodeURIComponent(item.document)}`, "aria-label": `${this.labels.open}: ${item.name}`}, this.labels.open));
    if (item.state === "failed" && item.file) {
      const again = el("button", {type: "button", class: "pd-button"}, this.labels.retry);
      again.addEventListener("click", () => this.retry(item));
      made.push(again);
    }
    if (["sending", "queued", "working"].includes(item.state)) {
      const label = filled(this.labels.cancel_upload, {name: item.name});
      const give = el("button", {type: "button", class: "pd-button", "aria-label": label, title: label, disabled: Boolean(item.unwanted)}, this.labels.cancel);
      give.addEventListener("click", () => this.cancel([item]));
      made.push(give);
    }
    if (ENDS.has(item.state) || item.state === "waiting") {
      const label = filled(this.labels.remove, {name: item.name});
      const away = el("button", {type: "button", class: "pd-button pd-away", "aria-label": label, title: label}, "×");
      away.addEventListener("click", () => {
        this.items = this.items.filter((each) => each !== item);
        this.show();
        this.area.querySelector("input[type=file]").focus();
      });
      made.push(away);
    }
    return made;
  }
}
