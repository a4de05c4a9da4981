// The word on a service that does not answer, while the page asks it again. Its sentences came with the page
// (ui/page/shell.py): nothing else can be asked for at that moment.

const COOKIE = "polycite_language";
const waiting = new Set(); // what is being asked again
let note = null;

// Says that `what` gets no answer, or got one (`whether` false); the note stays until everything has.
export function silent(what, whether) {
  if (whether) waiting.add(what);
  else waiting.delete(what);
  if (!waiting.size) {
    note?.remove();
    note = null;
  } else if (!note) {
    note = made();
    document.body.append(note);
    // After it is there: an alert is read aloud when its words come.
    note.textContent = note.dataset.words;
  }
}

function made() {
  const words = JSON.parse(document.getElementById("pc-silence").textContent);
  const language = readerLanguage(Object.keys(words));
  const box = document.createElement("div");
  box.className = "pc-silence";
  box.lang = language;
  box.dataset.words = words[language];
  box.setAttribute("role", "alert");
  return box;
}

// What the reader chose, else what the browser prefers, else English: as the server does (rag/api/page_language.py).
function readerLanguage(known) {
  const cookies = document.cookie.split(";").map((part) => part.trim().split("="));
  const chosen = cookies.find(([name, value]) => name === COOKIE && known.includes(value))?.[1];
  const preferred = navigator.languages.map((each) => each.split("-")[0].toLowerCase());
  return chosen ?? preferred.find((each) => known.includes(each)) ?? "en";
}
