// The staff page's own script: waits until Gradio has made the places, and fills them.

import {Chat} from "./chat.js";
import {sayInto, toast} from "./dom.js";
import {applyTheme, header} from "./header.js";
import {sentence} from "./problems.js";
import {start} from "./server.js";
import {silent} from "./silence.js";
import "./documents.js";

const AGAIN_MS = 2000;
const SLOW_MS = 5000; // an answer that takes longer is none yet

applyTheme();
const begun = beginning();
const places = Promise.all([place("pc-header"), place("pc-chat")]);

const [first, [top, room]] = await Promise.all([begun, places]);
applyTheme();
sayInto(document.body);
const chat = new Chat(room, first);
dress(first);
await chat.open();
document.body.dataset.ready = "1";

// What the page begins with; a server that does not answer is asked again, and the reader is told.
async function beginning() {
  for (;;) {
    const slow = setTimeout(() => silent("chat", true), SLOW_MS);
    try {
      const found = await start();
      silent("chat", false);
      return found;
    } catch (error) {
      if (error.status === 401) location.assign("/login");
      else silent("chat", true);
    } finally {
      clearTimeout(slow);
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

// All that is in the reader's language.
function dress(now) {
  document.documentElement.lang = now.language;
  header(top, now, {onmenu: () => chat.side.open(), onlanguage: changed});
}

async function changed() {
  let now;
  try {
    now = await start();
  } catch (error) {
    toast(sentence(error, chat.labels));
    return;
  }
  dress(now);
  await chat.relabel(now);
  document.getElementById("pc-relabel")?.click();
  document.dispatchEvent(new CustomEvent("polycite:language", {detail: {language: now.language, labels: now.labels}}));
  top.querySelector("select")?.focus();
}

// An element that Gradio makes, as soon as it is there.
function place(id) {
  return new Promise((resolve) => {
    const look = () => {
      const found = document.getElementById(id);
      if (!found) return;
      watching.disconnect();
      resolve(found);
    };
    const watching = new MutationObserver(look);
    watching.observe(document.documentElement, {childList: true, subtree: true});
    look();
  });
}
