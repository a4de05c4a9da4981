// Files before and while they are sent, and what the browser keeps of them over a reload.

import {Refused} from "./problems.js";

export const ENDS = new Set(["indexed", "duplicate", "refused", "failed", "cancelled"]);

const STATES = new Set(["queued", "working", ...ENDS]);
const KEPT = "polycite.uploads"; // of this browser tab alone
const MOST_KEPT = 100;

// -- one request

// The job that a group of files became, or why there is none: {job, refused}.
export function posted(group, progressed) {
  const form = new FormData();
  for (const item of group) form.append("files", item.file, item.name);
  const request = new XMLHttpRequest();
  const total = group.reduce((sum, item) => sum + item.size, 0) || 1;
  return new Promise((resolve) => {
    request.upload.addEventListener("progress", (event) => {
      // The files go one after the other; the form around them weighs little.
      let before = (event.loaded / (event.total || total)) * total;
      for (const item of group) {
        item.sent = Math.max(0, Math.min(1, before / (item.size || 1)));
        before -= item.size;
      }
      progressed();
    });
    request.addEventListener("loadend", () => {
      let body = null;
      try {
        body = JSON.parse(request.responseText);
      } catch {
        // no problem document: the status says enough
      }
      const after = request.status ? Number(request.getResponseHeader("Retry-After")) : 0;
      if (request.status === 202 && body) resolve({job: body, refused: null});
      else resolve({job: null, refused: new Refused({status: request.status, problem: body, after})});
    });
    request.open("POST", "/v1/documents");
    request.send(form);
  });
}

export async function readable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

// What was dropped, with the files in dropped folders.
export async function filesOf(transfer) {
  const entries = [...transfer.items].filter((item) => item.kind === "file");
  const given = entries.map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile());
  return (await Promise.all(given.map(within))).flat();
}

async function within(entry) {
  if (entry instanceof File) return [entry];
  if (!entry) return [];
  try {
    if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
    const reader = entry.createReader();
    const found = [];
    for (let some; (some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject))).length; ) {
      found.push(...(await Promise.all(some.map(within))));
    }
    return found.flat();
  } catch {
    return [];
  }
}

// -- over a reload

export function kept(items) {
  const latest = items.slice(-MOST_KEPT).map(({name, size, job, ordinal, state, document, said, detail, word}) => ({
    name: name.slice(0, 300), size, job, ordinal, state, document, said, detail, word,
  }));
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(latest));
  } catch {
    // without room, or not allowed: then a reload forgets them
  }
}

export function restored() {
  let stored;
  try {
    stored = JSON.parse(sessionStorage.getItem(KEPT) ?? "[]");
  } catch {
    stored = [];
  }
  const sound = (item) => typeof item?.name === "string" && Number.isFinite(item.size);
  return (Array.isArray(stored) ? stored.filter(sound) : []).slice(-MOST_KEPT).map((item) => {
    const known = /^[0-9a-f]{32}$/.test(item.job) && Number.isInteger(item.ordinal);
    const state = STATES.has(item.state) ? item.state : "queued";
    if (known) return {...item, state, stale: true};
    if (ENDS.has(state)) return item;
    return {name: item.name, size: item.size, state: "failed", word: "unsent"};
  });
}
