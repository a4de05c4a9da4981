// Small pieces of the page: elements, icons, what is said aloud, dialogs.

// An element. `attributes`: true sets it empty, null and false leave it out, functions are listeners ("onclick").
export function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

// HTML that this server made: the only place where HTML becomes elements.
export function served(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content.firstElementChild;
}

// A label with its fields filled in, as text.
export const filled = (label, fields) => label.replace(/\{(\w+)\}/g, (all, name) => fields[name] ?? all);

const PATHS = {
  menu: "M4 7h16M4 12h16M4 17h16",
  plus: "M12 5v14M5 12h14",
  pencil: "M4 20h4L19 9l-4-4L4 16v4ZM13.5 6.5l4 4",
  rename: "M9 4c2 0 3 1 3 2.5v11c0 1.5-1 2.5-3 2.5M15 4c-2 0-3 1-3 2.5M15 20c-2 0-3-1-3-2.5M10 12h4",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10 11v6M14 11v6",
  download: "M12 4v11M7.5 11 12 15.5 16.5 11M5 20h14",
  copy: "M9 9h10v11H9zM5 15V4h10",
  retry: "M19 12a7 7 0 1 1-2-5M19 4v4h-4",
  up: "M7 11v9H4v-9h3Zm0 0 4-7c1.5 0 2.5 1 2.2 2.5L12.5 10H18a2 2 0 0 1 2 2.3l-1 6A2 2 0 0 1 17 20H7",
  down: "M17 13V4h3v9h-3Zm0 0-4 7c-1.5 0-2.5-1-2.2-2.5l.7-3.5H6a2 2 0 0 1-2-2.3l1-6A2 2 0 0 1 7 4h10",
  send: "M12 19V6M6 11.5 12 5.5l6 6",
  stop: "M7 7h10v10H7z",
  theme: "M12 4a8 8 0 1 0 0 16V4Z M12 4a8 8 0 0 1 0 16",
  filter: "M4 6h16M7 12h10M10 18h4",
  close: "M6 6l12 12M18 6 6 18",
};

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `pc-icon pc-icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

// A button that shows an icon alone; its name is read aloud and shown on hovering.
export const iconButton = (name, label, onclick, attributes = {}) =>
  el("button", {type: "button", class: "pc-icon-button", "aria-label": label, title: label, onclick, ...attributes}, icon(name));

// -- what is said

let status = null;
let toasts = null;

export function sayInto(root) {
  status = el("div", {class: "pc-unseen", role: "status", "aria-live": "polite"});
  toasts = el("div", {class: "pc-toasts", role: "alert"});
  root.append(status, toasts);
}

// Read aloud by a screen reader, shown to nobody.
export const announce = (text) => void (status.textContent = text);

// Shown for a while, and read aloud.
export function toast(text, {action = null, stay = false} = {}) {
  const shown = el("div", {class: "pc-toast"}, el("span", {dir: "auto"}, text), action);
  toasts.append(shown);
  while (toasts.children.length > 3) toasts.firstElementChild.remove();
  if (!stay) setTimeout(() => shown.remove(), 8000);
}

// -- dialogs

// Ask for a yes: true or false.
export const confirmed = (labels, question, yes) => asked(labels, {question, yes, danger: true}).then((found) => found !== null);

// Ask for a line of text: the text, or null.
export const entered = (labels, question, value, yes) => asked(labels, {question, yes, value});

function asked(labels, {question, yes, value = null, danger = false}) {
  const before = document.activeElement;
  const field = value === null ? null : el("input", {name: "value", value, maxlength: 200, autocomplete: "off", dir: "auto"});
  const cancel = el("button", {type: "button", class: "pc-button", onclick: () => dialog.close("")}, labels.chat_cancel);
  const go = el("button", {type: "submit", class: `pc-button ${danger ? "pc-danger" : "pc-primary"}`}, yes);
  const form = el("form", {}, el("label", {dir: "auto"}, el("span", {id: "pc-asked"}, question), field), el("div", {class: "pc-row"}, cancel, go));
  const dialog = el("dialog", {class: "pc-dialog", "aria-labelledby": "pc-asked"}, form);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    dialog.close("yes");
  });
  document.body.append(dialog);
  dialog.showModal();
  (field ?? cancel).focus();
  field?.select();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      before?.focus?.();
      resolve(dialog.returnValue === "yes" ? (field ? field.value.trim() : "") : null);
    });
  });
}

// -- the clipboard

export async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Not offered on http pages of other machines; the old way works there.
    const field = el("textarea", {class: "pc-unseen"});
    field.value = text;
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
  }
}
