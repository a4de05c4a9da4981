// What is searched, and who writes: languages, documents, engine.

import {el, filled, icon} from "./dom.js";
import {sentence} from "./problems.js";
import {documents} from "./server.js";
import {EVERYTHING} from "./store.js";

const TYPED = 200; // milliseconds after the last key

export class Scope {
  constructor(start, onchange) {
    this.onchange = onchange;
    this.value = EVERYTHING;
    this.summary = el("summary", {class: "pc-scope-summary"});
    this.panel = el("div", {class: "pc-scope-panel"});
    this.root = el("details", {class: "pc-scope"}, this.summary, this.panel);
    this.root.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !this.root.open) return;
      event.stopPropagation();
      this.close();
      this.summary.focus();
    });
    document.addEventListener("click", (event) => {
      if (!this.root.contains(event.target) && event.target.isConnected) this.close();
    });
    this.relabel(start);
  }

  close() {
    this.root.open = false;
  }

  relabel(start) {
    this.start = start;
    this.set(this.value);
  }

  set(value) {
    const known = new Set(this.start.searchable.map(({code}) => code));
    const languages = value.languages?.filter((code) => known.has(code)) ?? null;
    this.value = {languages: languages?.length ? languages : null, documents: value.documents, engine: this.start.engines.some(({name}) => name === value.engine) ? value.engine : null};
    this.#draw();
    this.#say();
  }

  #change(part) {
    this.value = {...this.value, ...part};
    this.#say();
    this.onchange(this.value);
  }

  // In one line, what is chosen.
  #say() {
    const {labels, searchable, engines} = this.start;
    const {languages, documents: named, engine} = this.value;
    const names = searchable.filter(({code}) => languages?.includes(code)).map(({name}) => name);
    const said = [];
    if (languages) said.push(names.length <= 3 ? names.join(", ") : filled(labels.chat_languages_chosen, {count: names.length}));
    if (named) said.push(named.length === 1 ? named[0].title : filled(labels.chat_documents_chosen, {count: named.length}));
    if (!said.length) said.push(labels.chat_everything);
    if (engine) said.push(engines.find(({name}) => name === engine)?.label ?? engine);
    this.root.classList.toggle("pc-narrowed", Boolean(languages || named || engine));
    this.summary.replaceChildren(icon("filter"), el("span", {}, `${labels.chat_search_in}: `), el("b", {dir: "auto"}, said.join(" · ")));
    if (this.reset) this.reset.hidden = !(languages || named);
  }

  #draw() {
    const {labels, searchable, engines} = this.start;
    this.reset = el("button", {type: "button", class: "pc-button pc-quiet", onclick: () => {
      this.#change({languages: null, documents: null});
      this.#draw();
      this.#say();
      this.summary.focus();
    }}, labels.chat_reset_choice);
    this.panel.replaceChildren(
      ...(searchable.length > 1 ? [this.#languages(labels, searchable)] : []),
      this.#documents(labels),
      ...(engines.length > 1 ? [this.#engine(labels, engines)] : []),
      this.reset,
    );
  }

  #languages(labels, searchable) {
    const boxes = searchable.map(({code, name}) => {
      const box = el("input", {type: "checkbox", value: code, checked: this.value.languages?.includes(code)});
      return el("label", {class: "pc-choice"}, box, el("span", {}, name));
    });
    const group = el("fieldset", {class: "pc-field", onchange: () => {
      const chosen = [...group.querySelectorAll("input:checked")].map((box) => box.value);
      this.#change({languages: chosen.length && chosen.length < searchable.length ? chosen : null});
    }}, el("legend", {}, labels.chat_limit_languages), el("div", {class: "pc-choices"}, ...boxes));
    return group;
  }

  #documents(labels) {
    const list = el("div", {class: "pc-found"});
    const chosen = () => this.value.documents ?? [];
    const draw = (found) => {
      const ids = new Set(chosen().map(({id}) => id));
      const rows = [...chosen(), ...found.filter(({id}) => !ids.has(id))].map((each) => {
        const box = el("input", {type: "checkbox", value: each.id, checked: ids.has(each.id), onchange: () => {
          const rest = chosen().filter(({id}) => id !== each.id);
          const now = box.checked ? [...rest, {id: each.id, title: each.title}] : rest;
          this.#change({documents: now.length ? now : null});
        }});
        return el("label", {class: "pc-choice"}, box, el("span", {dir: "auto"}, each.title));
      });
      list.replaceChildren(...(rows.length ? rows : search.value ? [el("p", {class: "pc-hint"}, labels.chat_no_document)] : []));
    };
    let typed;
    let latest = 0;
    const look = async () => {
      const mine = ++latest;
      try {
        const found = await documents(search.value.trim());
        if (mine === latest) draw(found);
      } catch (error) {
        if (mine === latest) list.replaceChildren(el("p", {class: "pc-hint", role: "alert"}, sentence(error, labels)));
      }
    };
    const search = el("input", {type: "search", class: "pc-input", placeholder: labels.chat_find_document, "aria-label": labels.chat_find_document, maxlength: 200, onfocus: look, oninput: () => {
      clearTimeout(typed);
      typed = setTimeout(look, TYPED);
    }});
    search.addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault());
    draw([]);
    return el("fieldset", {class: "pc-field"}, el("legend", {}, labels.chat_limit_documents), search, list);
  }

  #engine(labels, engines) {
    const all = [{name: "", label: labels.chat_engine_default}, ...engines];
    const options = all.map(({name, label}) => el("option", {value: name, selected: (this.value.engine ?? "") === name}, label));
    const select = el("select", {class: "pc-select", "aria-label": labels.chat_engine, onchange: () => this.#change({engine: select.value || null})}, ...options);
    return el("fieldset", {class: "pc-field"}, el("legend", {}, labels.chat_engine), select);
  }
}
