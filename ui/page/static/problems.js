// Why the server did not do what it was asked, in the reader's words: by the `type` of its problem (rag/api/problems.py).
// The problem's own `detail` is English, and stands behind "details".

import {el, filled} from "./dom.js";

const NAMESPACE = "urn:polycite:problem:";

// The label that says it, by the end of the type; of several the first that the part of the page has.
const SAID = {
  "unreached": ["problem_unreached"],
  "key-missing": ["chat_session_over", "signed_out"],
  "scope-missing": ["read_only"],
  "document-unknown": ["gone"],
  "document-kept": ["kept"],
  "job-unknown": ["forgotten"],
  "uploads-off": ["off"],
  "uploads-full": ["problem_uploads_full"],
  "feedback-full": ["problem_feedback_full"],
  "usage": ["problem_usage"],
  "invalid": ["problem_invalid"],
  "malformed": ["problem_invalid"],
  "media-type": ["problem_invalid"],
  "method-not-allowed": ["problem_invalid"],
  "not-found": ["problem_invalid"],
  "body-too-large": ["problem_body_too_large"],
  "too-slow": ["problem_busy"],
  "rate-limited": ["problem_rate_limited"],
  "busy": ["problem_busy"],
  "origin-refused": ["problem_refused_here"],
  "host-refused": ["problem_refused_here"],
  "index-missing": ["problem_index_missing"],
  "index-busy": ["problem_index_busy"],
  "index-unreachable": ["problem_index_unreachable"],
  "index-mismatch": ["problem_index"],
  "index-damaged": ["problem_index"],
  "index-state": ["problem_index"],
  "model": ["problem_work"],
  "work": ["problem_work"],
  "internal": ["problem_work"],
};
// What a proxy before the server answers brings no problem.
const BY_STATUS = {0: "unreached", 401: "key-missing", 413: "body-too-large", 429: "rate-limited", 500: "internal", 502: "unreached", 503: "busy", 504: "unreached"};
const SOON = 5; // seconds, where the server names none

// `status` 0: the server was not reached. `code`: the end of the problem's type. `after`: seconds to wait.
export class Refused extends Error {
  constructor({status = 0, problem = null, after = 0} = {}) {
    super(String(problem?.detail ?? ""));
    const type = String(problem?.type ?? "");
    this.status = status;
    this.code = type.startsWith(NAMESPACE) ? type.slice(NAMESPACE.length) : BY_STATUS[status] ?? "";
    this.after = after > 0 ? after : SOON;
  }
}

// The response of a request that went well; else a Refused.
export async function answered(request) {
  let response;
  try {
    response = await request;
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused();
  }
  if (response.ok) return response;
  const problem = await response.json().catch(() => null);
  throw new Refused({status: response.status, problem, after: Number(response.headers.get("Retry-After"))});
}

// The name of the label that says it, null where none does.
export const labelOf = (refused, labels) => (SAID[refused.code] ?? []).find((name) => labels[name]) ?? null;

// In a sentence.
export const sentence = (refused, labels) => filled(labels[labelOf(refused, labels) ?? "problem_unknown"], {seconds: refused.after});

// The server's own words, behind "details"; null where it gave none.
export function details(refused, labels) {
  if (!refused.message) return null;
  return el("details", {class: "pc-details"}, el("summary", {}, labels.problem_details), el("span", {lang: "en", dir: "ltr"}, refused.message));
}
