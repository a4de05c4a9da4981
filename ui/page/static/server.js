// What the chat asks of the server. Whatever fails is a Refused (problems.js).

import {Refused, answered} from "./problems.js";

const TURNS_AT_ONCE = 50;
const BYTES_AT_ONCE = 600_000; // the server takes a million
const START_MS = 30_000; // then it is asked anew

export const start = async () => (await got("/chat/start", AbortSignal.timeout(START_MS))).json();

// The HTML of each answer, null for one that is none.
export async function turns(exchanges) {
  const shown = [];
  for (const batch of batches(exchanges.map(kept))) shown.push(...(await (await posted("/chat/turns", {turns: batch})).json()));
  return shown;
}

export async function markdown(title, exchanges) {
  return (await posted("/chat/export", {title, turns: exchanges.map(kept)})).text();
}

// The server may not know the answer any more, so all that it was asked with goes along.
export async function rate({answer, asked}, history, rating, reason) {
  const searched = asked && {languages: asked.languages, documents: asked.documents?.map((each) => each.id) ?? null};
  await posted("/v1/feedback", {answer_id: answer.id, rating, reason, answer, history, searched});
}

export async function documents(words) {
  const found = await (await got(`/v1/documents?limit=20&query=${encodeURIComponent(words)}`)).json();
  return found.documents;
}

export async function signOut() {
  await fetch("/logout", {method: "POST"}).catch(() => null);
  location.assign("/login");
}

// The pieces of an answer, and last {answer}. Aborting `signal` ends the work on the server too.
export async function* ask(question, {history, scope, signal}) {
  const body = {question, history, stream: true, languages: scope.languages, engine: scope.engine};
  body.documents = scope.documents?.map((each) => each.id) ?? null;
  const response = await posted("/v1/ask", body, signal);
  for await (const {event, data} of events(response.body)) {
    if (event === "token") yield {text: data.text};
    else if (event === "answer") yield {answer: data};
    else if (event === "error") throw new Refused({status: data.status, problem: data});
    else if (event === "done") return;
  }
  throw new Refused();
}

async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const {value, done} = await reader.read();
    if (done) return;
    text += value;
    const parts = text.split("\n\n");
    text = parts.pop();
    for (const part of parts) {
      const fields = Object.fromEntries(part.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]));
      if (fields.event) yield {event: fields.event, data: JSON.parse(fields.data ?? "null")};
    }
  }
}

const kept = ({question, answer, day, asked}) => ({question, answer, day: day ?? null, partly: Boolean(asked?.languages || asked?.documents)});

function* batches(values) {
  let batch = [];
  let bytes = 0;
  for (const value of values) {
    const size = new Blob([JSON.stringify(value)]).size;
    if (batch.length && (batch.length >= TURNS_AT_ONCE || bytes + size > BYTES_AT_ONCE)) {
      yield batch;
      [batch, bytes] = [[], 0];
    }
    batch.push(value);
    bytes += size;
  }
  if (batch.length) yield batch;
}

const got = (path, signal) => answered(fetch(path, {signal}));

const posted = (path, body, signal) =>
  answered(fetch(path, {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body), signal}));
