// The console begins here: words first, then who is at the desk, then what the node knows.

import { setNow, whenJumped } from "./clock.js";
import { follow } from "./events.js";
import { Frame } from "./frame.js";
import { login } from "./login.js";
import * as node from "./node.js";
import { language, speak } from "./words.js";
import { World } from "./world.js";

const LANGUAGES = ["en", "ru", "ar"];

// Before anybody is known: what was read here last, or what the browser asks for.
function firstLanguage() {
  const asked = [localStorage.getItem("language"), ...navigator.languages.map((each) => each.slice(0, 2))];
  return asked.find((each) => LANGUAGES.includes(each)) ?? "en";
}

async function start() {
  document.documentElement.dataset.theme = localStorage.getItem("theme") ?? "night";
  await speak(firstLanguage());
  if (node.session) {
    try {
      return await desk();
    } catch (error) {
      if (!(error instanceof node.Refusal && error.status === 401)) throw error;
    }
  }
  login(LANGUAGES, desk);
}

async function desk() {
  const [me, about] = await Promise.all([node.introduce(), node.get("/node")]);
  if (LANGUAGES.includes(me.language) && me.language !== language) await speak(me.language);
  setNow(about.now_utc);
  const frame = new Frame(me, about, LANGUAGES);
  node.onSessionEnd(() => location.reload());
  if (!node.may("read")) {
    frame.live("none"); // nothing here changes by itself
    return frame.show();
  }
  const world = new World(frame.problem);
  frame.world = world;
  // After a sleep, a restart, a clock that was set: the node's time, and all lists once more.
  let turn = 0;
  const anew = async () => {
    for (const mine = ++turn; mine === turn; ) {
      try {
        setNow((await node.get("/node")).now_utc);
        return await world.load();
      } catch (error) {
        if (error instanceof node.Refusal) return frame.problem(error);
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS)); // a network that is not back yet
      }
    }
  };
  whenJumped(anew);
  // From an event before what is read now: what happens meanwhile comes by the stream.
  follow(about.last_event_id, (event) => world.take(event), (state) => {
    frame.live(state);
    if (state === "refused") node.end();
  }, anew);
  await world.first();
  await frame.show();
  await drawn(); // what is seen first has node and browser to itself
  world.rest();
}

// Resolves when what was put into the page is drawn, or in a moment where nobody looks at it.
const drawn = () => new Promise((resolve) => {
  requestAnimationFrame(() => setTimeout(resolve));
  setTimeout(resolve, UNSEEN_MS);
});

const UNSEEN_MS = 500;

const AGAIN_MS = 2_000;
const MOST_TRIES = 3; // while the node answers: then it is a defect, and stands there to be read

start().then(() => sessionStorage.removeItem("tries"), async (error) => {
  // A node that is down, or not up yet: nothing is wrong here that a moment does not mend.
  const down = await fetch("/favicon.ico", { cache: "no-store" }).then(({ ok }) => !ok, () => true);
  const tries = down ? 0 : Number(sessionStorage.getItem("tries")) + 1;
  sessionStorage.setItem("tries", tries);
  const again = tries < MOST_TRIES;
  (again ? console.warn : console.error)(error);
  if (again) setTimeout(() => location.reload(), AGAIN_MS);
  document.body.replaceChildren(Object.assign(document.createElement("p"), { role: "alert", textContent: `The console does not start: ${error.message}` }));
});
