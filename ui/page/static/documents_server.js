// What the documents' tab asks of the server, and the small things that its parts share. Whatever fails is a Refused
// (problems.js).

import {answered, details, sentence} from "./problems.js";

export const ask = (path, {method = "GET", signal} = {}) => answered(fetch(path, {method, signal, cache: "no-store"}));

export const askText = async (path, options) => (await ask(path, options)).text();
export const askJson = async (path, options) => (await ask(path, options)).json();

// Why a request was refused, in the reader's words, with the server's own behind them: what an element is filled with.
export const told = (error, labels) => [sentence(error, labels), details(error, labels)].filter(Boolean);

// Dates and sizes as the reader's language writes them (in the reader's country, where the browser knows it), with the
// digits of the rest of the page.
function inLatinDigits(language) {
  const own = navigator.languages.find((each) => each === language || each.startsWith(`${language}-`));
  return `${(own ?? language).split("-u-")[0]}-u-nu-latn`;
}

export function wordTimes(root, language) {
  const short = new Intl.DateTimeFormat(inLatinDigits(language), {dateStyle: "medium"});
  const long = new Intl.DateTimeFormat(inLatinDigits(language), {dateStyle: "full", timeStyle: "short"});
  for (const time of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    if (Number.isNaN(moment.valueOf())) continue;
    time.textContent = short.format(moment);
    time.title = long.format(moment);
  }
}

export function wordSize(bytes, language) {
  const [amount, unit] =
    bytes < 1e6 ? [Math.max(1, bytes / 1e3), "kilobyte"] : [bytes / 1e6, "megabyte"];
  return new Intl.NumberFormat(inLatinDigits(language), {
    style: "unit", unit, unitDisplay: "short", maximumFractionDigits: amount < 10 ? 1 : 0,
  }).format(amount);
}
