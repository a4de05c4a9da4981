// Conversations in this browser: two entries each, so that two windows never write the same list.
//
//   polycite:1:USER:m:ID  {title, at, turns}          what the list shows
//   polycite:1:USER:c:ID  {scope, exchanges: [...]}   the rest; answers as the API gives them, never HTML
//
// Whatever is read is checked: anything may have written there.

const MOST_EXCHANGES = 500;
const ID = /^[0-9a-f-]{36}$/;
const DAY = /^\d{4}-\d\d-\d\d$/;

export class Store {
  constructor(user, storage = localStorage) {
    this.storage = storage;
    this.prefix = `polycite:1:${user}:`;
  }

  // [{id, title, at, turns}], the newest first.
  list() {
    const found = [];
    for (const name of this.#names("m:")) {
      const id = name.slice(-36);
      const meta = this.#read(name);
      if (ID.test(id) && isText(meta?.title, 500) && Number.isFinite(meta.at)) found.push({id, title: meta.title, at: meta.at, turns: Number(meta.turns) || 0});
    }
    return found.sort((one, other) => other.at - one.at);
  }

  // {conversation, dropped}: null where there is none; how many parts of it could not be read.
  load(id) {
    const meta = this.list().find((each) => each.id === id);
    const raw = this.#read(`${this.prefix}c:${id}`);
    if (!meta) return {conversation: null, dropped: 0};
    if (!Array.isArray(raw?.exchanges)) {
      this.remove(id);
      return {conversation: null, dropped: 1};
    }
    const exchanges = raw.exchanges.slice(-MOST_EXCHANGES).map(exchange).filter(Boolean);
    const dropped = Math.min(raw.exchanges.length, MOST_EXCHANGES) - exchanges.length;
    return {conversation: {id, title: meta.title, at: meta.at, scope: scope(raw.scope), exchanges}, dropped};
  }

  // Whether there was room. A conversation without exchanges is not kept.
  save({id, title, at, scope, exchanges}) {
    if (!exchanges.length) return true;
    try {
      this.storage.setItem(`${this.prefix}c:${id}`, JSON.stringify({scope, exchanges: exchanges.slice(-MOST_EXCHANGES)}));
      this.storage.setItem(`${this.prefix}m:${id}`, JSON.stringify({title, at, turns: exchanges.length}));
      return true;
    } catch {
      return false;
    }
  }

  rename(id, title) {
    const name = `${this.prefix}m:${id}`;
    const meta = this.#read(name);
    if (meta) this.storage.setItem(name, JSON.stringify({...meta, title}));
  }

  remove(id) {
    this.storage.removeItem(`${this.prefix}m:${id}`);
    this.storage.removeItem(`${this.prefix}c:${id}`);
  }

  clear() {
    for (const name of this.#names("")) this.storage.removeItem(name);
  }

  // Whether an entry that another window changed is one of these.
  owns(name) {
    return name === null || name.startsWith(this.prefix);
  }

  #names(kind) {
    return Object.keys(this.storage).filter((name) => name.startsWith(this.prefix + kind));
  }

  #read(name) {
    try {
      return JSON.parse(this.storage.getItem(name));
    } catch {
      return null;
    }
  }
}

export const EVERYTHING = Object.freeze({languages: null, documents: null, engine: null});

const isText = (value, most) => typeof value === "string" && value.length <= most;
const texts = (value, most) => (Array.isArray(value) && value.length && value.every((each) => isText(each, most)) ? value : null);

function scope(value) {
  const named = Array.isArray(value?.documents) && value.documents.length ? value.documents : null;
  return {
    languages: texts(value?.languages, 35),
    documents: named?.every((each) => isText(each?.id, 64) && isText(each?.title, 2000)) ? named.map(({id, title}) => ({id, title})) : null,
    engine: isText(value?.engine, 100) ? value.engine : null,
  };
}

// What is kept of a turn, or null where it is none. The server looks at the answer itself.
function exchange(value) {
  if (!isText(value?.question, 100_000)) return null;
  const {answer} = value;
  if (answer !== null && (typeof answer !== "object" || Array.isArray(answer) || !isText(answer.id, 64) || !isText(answer.answer, 200_000))) return null;
  return {
    question: value.question,
    answer,
    day: DAY.test(value.day) ? value.day : null,
    asked: value.asked && typeof value.asked === "object" ? scope(value.asked) : null,
    partial: isText(value.partial, 200_000) ? value.partial : "",
    rating: ["up", "down"].includes(value.rating) ? value.rating : null,
  };
}
