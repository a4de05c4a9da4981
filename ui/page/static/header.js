// The page's header: name, language, colours, who is signed in.

import {el, filled, icon, iconButton} from "./dom.js";
import {signOut} from "./server.js";

const COOKIE_SECONDS = 365 * 24 * 3600;
const THEMES = ["auto", "light", "dark"];
const THEME = "polycite:theme";
const system = matchMedia("(prefers-color-scheme: dark)");

let theme = THEMES.includes(localStorage.getItem(THEME)) ? localStorage.getItem(THEME) : "auto";

// Colours, before anything is drawn. Gradio's own follow the class on the body.
export function applyTheme() {
  const dark = theme === "dark" || (theme === "auto" && system.matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  document.body.classList.toggle("dark", dark);
}

system.addEventListener("change", applyTheme);

export function header(root, start, {onmenu, onlanguage}) {
  const labels = start.labels;
  const language = el(
    "select",
    {class: "pc-select pc-language-select", "aria-label": labels.chat_page_language, title: labels.chat_page_language, onchange: () => {
      document.cookie = `polycite_language=${language.value}; path=/; max-age=${COOKIE_SECONDS}; SameSite=Lax`;
      onlanguage();
    }},
    ...start.interface.map(({code, name}) => el("option", {value: code, lang: code, selected: code === start.language}, name)),
  );
  const user = start.signedIn
    ? el("span", {class: "pc-user"}, el("span", {class: "pc-user-name", dir: "auto", title: filled(labels.signed_in, {name: start.signedIn})}, start.signedIn),
        el("button", {type: "button", class: "pc-button pc-quiet", onclick: signOut}, labels.sign_out))
    : null;
  const menu = iconButton("menu", labels.chat_show_list, onmenu, {class: "pc-icon-button pc-menu", "aria-expanded": "false", "aria-controls": "pc-side"});
  root.replaceChildren(
    el("a", {class: "pc-skip", href: "#pc-question", onclick: skip}, labels.chat_to_question),
    menu,
    el("h1", {class: "pc-brand"}, mark(), el("span", {}, "polycite")),
    el("div", {class: "pc-header-tools"}, language, themeButton(labels), user),
  );
}

function skip(event) {
  event.preventDefault();
  document.getElementById("pc-question")?.focus();
}

function themeButton(labels) {
  const button = el("button", {type: "button", class: "pc-icon-button", onclick: () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
    localStorage.setItem(THEME, theme);
    applyTheme();
    named();
  }}, icon("theme"));
  const named = () => {
    const name = `${labels.chat_theme}: ${labels[`chat_theme_${theme}`]}`;
    button.setAttribute("aria-label", name);
    button.title = name;
  };
  named();
  return button;
}

// Two quotation marks in a square.
function mark() {
  const made = el("span", {class: "pc-mark", "aria-hidden": "true"});
  made.textContent = "”";
  return made;
}
