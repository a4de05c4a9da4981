// The turns of a conversation: questions, answers with their sources, what one can do with each.

import {announce, copied, el, filled, iconButton, served, toast} from "./dom.js";
import {details, sentence} from "./problems.js";

export class Thread {
  // `handlers`: onedit(index, question), onretry(index), onrate(index, rating, reason) -> promise of whether it was kept,
  // onwhich(question, document)
  constructor(labels, handlers) {
    this.labels = labels;
    this.handlers = handlers;
    this.column = el("div", {class: "pc-column"});
    this.root = el("div", {class: "pc-thread", tabindex: "0", role: "region"}, this.column);
    this.root.addEventListener("click", (event) => this.#clicked(event));
  }

  get turns() {
    return [...this.column.querySelectorAll(":scope > .pc-exchange")];
  }

  // All turns; `html`: of each answer, as the server made it.
  show(exchanges, html) {
    this.column.replaceChildren(...exchanges.map((exchange, index) => this.#turn(exchange, index, html[index], exchanges.length)));
  }

  // A page without turns.
  welcome(start, onexample) {
    const {labels} = start;
    const examples = start.examples.map(({question, shown, language, direction}) =>
      el("li", {}, el("button", {type: "button", class: "pc-example", lang: language, dir: direction, onclick: () => onexample(question)}, shown)));
    const languages = start.searchable.map(({name}) => name).join(", ");
    this.column.replaceChildren(
      el("div", {class: "pc-welcome"},
        el("h2", {class: "pc-tagline"}, labels.tagline),
        languages ? el("p", {class: "pc-indexed"}, languages) : null,
        examples.length ? el("h3", {class: "pc-heading"}, labels.chat_examples) : null,
        examples.length ? el("ul", {class: "pc-examples"}, ...examples) : null));
    this.root.scrollTop = 0;
  }

  // The last turn while it is written.
  begin(exchange, index) {
    for (const turn of this.turns.slice(index)) turn.remove();
    this.column.querySelector(".pc-welcome")?.remove();
    for (const tool of this.column.querySelectorAll(".pc-last-only")) tool.remove();
    const turn = this.#turn(exchange, index, null, index + 1, true);
    this.column.append(turn);
    announce(this.labels.chat_thinking);
    this.#toTop(turn);
    const place = turn.querySelector(".pc-writing");
    let written = "";
    return (text) => {
      written += text;
      place.classList.remove("pc-thinking");
      place.textContent = written;
    };
  }

  // The last turn when it is done.
  finish(exchange, index, html) {
    const turn = this.#turn(exchange, index, html, index + 1);
    this.turns[index]?.replaceWith(turn);
    this.#toTop(turn);
    const {answer} = exchange;
    const verdict = answer?.refused ? `${this.labels.chat_none_found}. ` : "";
    announce(answer ? `${this.labels.chat_answer_to}: ${verdict}${answer.answer}` : this.#why(exchange));
  }

  // A new answer is read from its question on.
  #toTop(turn) {
    turn.scrollIntoView({block: "start"});
  }

  #turn(exchange, index, html, count, writing = false) {
    const {labels} = this;
    const question = el("h3", {class: "pc-question", dir: "auto"}, exchange.question);
    const edit = writing ? null : iconButton("pencil", labels.chat_edit, () => this.#edit(turn, exchange, index));
    const turn = el("article", {class: "pc-exchange"}, el("div", {class: "pc-asked"}, question, edit));
    if (writing) turn.append(el("p", {class: "pc-writing pc-thinking", dir: "auto"}, labels.chat_thinking));
    else if (html) turn.append(served(html));
    else turn.append(this.#unanswered(exchange));
    if (!writing) (turn.querySelector(".pc-answer") ?? turn).append(this.#tools(exchange, index, Boolean(html), index === count - 1));
    return turn;
  }

  #unanswered({partial, failure}) {
    const said = partial ? el("p", {class: "pc-partial", dir: "auto"}, partial) : null;
    const more = failure ? details(failure, this.labels) : null;
    return el("div", {class: "pc-turn pc-note"}, said, el("div", {class: "pc-notice", role: "note"}, el("p", {dir: "auto"}, this.#why({failure})), more));
  }

  #why({failure}) {
    const {labels} = this;
    return failure ? `${sentence(failure, labels)} ${labels.chat_question_kept}` : labels.chat_stopped;
  }

  #tools(exchange, index, answered, last) {
    const {labels} = this;
    const tools = el("div", {class: "pc-tools"});
    if (answered) {
      const thumbs = ["up", "down"].map((rating) =>
        iconButton(rating, rating === "up" ? labels.chat_helpful : labels.chat_unhelpful, () => this.#rate(tools, index, rating, thumbs),
          {"aria-pressed": String(exchange.rating === rating), "data-rating": rating}));
      tools.append(...thumbs, iconButton("copy", labels.chat_copy_answer, () => this.#copy(exchange.answer.answer)));
    }
    // What is only perhaps the answer is confirmed by one who knows: a case for the evaluation.
    if (answered && exchange.answer.confidence === "perhaps" && !exchange.rating) {
      const confirm = el("button", {type: "button", class: "pc-button pc-confirm", onclick: async () => {
        await this.#rate(tools, index, "up", [...tools.querySelectorAll("[data-rating]")]);
        if (tools.querySelector(".pc-thanks")) confirm.remove();
      }}, labels.chat_answers_it);
      tools.prepend(confirm);
    }
    if (last) tools.append(iconButton("retry", labels.chat_retry, () => this.handlers.onretry(index), {class: "pc-icon-button pc-last-only"}));
    return tools;
  }

  async #rate(tools, index, rating, thumbs) {
    if (!(await this.handlers.onrate(index, rating, null))) return;
    for (const thumb of thumbs) thumb.setAttribute("aria-pressed", String(thumb.dataset.rating === rating));
    tools.querySelector(".pc-reason")?.remove();
    const {labels} = this;
    const field = el("textarea", {class: "pc-input", rows: 2, maxlength: 2000, dir: "auto"});
    const form = el("form", {class: "pc-reason"}, el("p", {class: "pc-thanks"}, labels.chat_thanks), el("label", {}, el("span", {}, labels.chat_reason), field),
      el("button", {type: "submit", class: "pc-button"}, labels.chat_reason_send));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const reason = field.value.trim();
      if (reason && !(await this.handlers.onrate(index, rating, reason))) return;
      form.replaceChildren(el("p", {class: "pc-thanks"}, labels.chat_thanks));
      thumbs.find((thumb) => thumb.dataset.rating === rating).focus();
    });
    tools.append(form);
    announce(labels.chat_thanks);
  }

  #edit(turn, exchange, index) {
    const {labels} = this;
    const asked = turn.querySelector(".pc-asked");
    const field = el("textarea", {class: "pc-input", rows: 2, "aria-label": labels.chat_edit, dir: "auto"});
    field.value = exchange.question;
    const back = () => {
      form.replaceWith(asked);
      asked.querySelector("button").focus();
    };
    const go = () => field.value.trim() && this.handlers.onedit(index, field.value.trim());
    const form = el("form", {class: "pc-editing"}, field, el("div", {class: "pc-row"},
      el("button", {type: "button", class: "pc-button", onclick: back}, labels.chat_cancel), el("button", {type: "submit", class: "pc-button pc-primary"}, labels.ask)));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      go();
    });
    field.addEventListener("keydown", (event) => {
      if (event.key === "Escape") back();
      else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        go();
      }
    });
    asked.replaceWith(form);
    field.focus();
  }

  async #copy(text) {
    toast((await copied(text)) ? this.labels.chat_copied : this.labels.chat_copy_failed);
  }

  // Within the server's HTML: a marker leads to its source, a button copies the source's reference, or asks one document.
  #clicked(event) {
    const marker = event.target.closest(".pc-marker");
    if (marker) {
      event.preventDefault();
      const source = this.column.querySelector(`[id="${CSS.escape(marker.hash.slice(1))}"]`);
      for (const lit of this.column.querySelectorAll(".pc-lit")) lit.classList.remove("pc-lit");
      source?.classList.add("pc-lit");
      source?.scrollIntoView({block: "nearest"});
      source?.focus({preventScroll: true});
      return;
    }
    const copy = event.target.closest(".pc-copy");
    if (copy) this.#copy(copy.dataset.copy);
    const which = event.target.closest(".pc-which");
    if (which) this.handlers.onwhich(which.dataset.ask, {id: which.dataset.document, title: which.textContent});
  }
}
