// What the documents' tab asks of the server, and the small things that its parts share.

export class Refused extends Error {
  // `status` 0: the server was not reached.
  constructor(status, detail = "") {
    super(detail);
    this.status = status;
  }
}

export async function ask(path, {method = "GET", signal} = {}) {
  let response;
  try {
    response = await fetch(path, {method, signal, cache: "no-store"});
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(0);
  }
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  throw new Refused(response.status, String(problem.detail ?? ""));
}

export const askText = async (path, options) => (await ask(path, options)).text();
export const askJson = async (path, options) => (await ask(path, options)).json();

// Why a request was refused, in the reader's words.
export function said(error, labels) {
  if (error.status === 401) return labels.signed_out;
  if (error.status === 403) return labels.read_only;
  if (error.status === 404) return labels.gone;
  if (error.status === 409) return labels.kept;
  if (error.status === 0) return labels.unreached;
  return error.message || labels.failed_why;
}

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
