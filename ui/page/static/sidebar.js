// The list of conversations. On a narrow page it lies over the chat while it is open.

import {el, icon} from "./dom.js";

export class Sidebar {
  constructor(labels, {onpick, onfresh, onclear}) {
    this.handlers = {onpick, onfresh, onclear};
    this.root = el("nav", {id: "pc-side", class: "pc-side"});
    this.veil = el("div", {class: "pc-veil", onclick: () => this.open(false)});
    this.relabel(labels);
    this.root.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.isOpen) {
        event.stopPropagation();
        this.open(false);
        document.querySelector(".pc-menu")?.focus();
      }
    });
  }

  get isOpen() {
    return this.root.classList.contains("pc-open");
  }

  open(wanted = !this.isOpen) {
    this.root.classList.toggle("pc-open", wanted);
    this.veil.classList.toggle("pc-open", wanted);
    document.querySelector(".pc-menu")?.setAttribute("aria-expanded", String(wanted));
    if (wanted) this.root.querySelector("button")?.focus();
  }

  relabel(labels) {
    this.labels = labels;
    this.items = el("ul", {class: "pc-items"});
    this.clear = el("button", {type: "button", class: "pc-button pc-quiet pc-clear", onclick: () => this.handlers.onclear()}, labels.chat_delete_all);
    this.root.setAttribute("aria-label", labels.chat_conversations);
    this.root.replaceChildren(
      el("button", {type: "button", class: "pc-button pc-fresh", onclick: () => this.#then(this.handlers.onfresh)}, icon("plus"), el("span", {}, labels.fresh)),
      el("h2", {class: "pc-side-name"}, labels.chat_conversations),
      this.items,
      el("div", {class: "pc-side-foot"}, el("p", {}, labels.chat_kept), this.clear),
    );
  }

  show(conversations, current) {
    this.clear.hidden = !conversations.length;
    const items = conversations.map(({id, title}) =>
      el("li", {}, el("button", {type: "button", class: "pc-pick", dir: "auto", title, "aria-current": id === current ? "true" : null, onclick: () => this.#then(() => this.handlers.onpick(id))}, title)));
    this.items.replaceChildren(...(items.length ? items : [el("li", {class: "pc-none"}, this.labels.chat_none_yet)]));
  }

  #then(handler) {
    this.open(false);
    handler();
  }
}
