// Who comes on watch. Nothing is shown before.

import { h } from "./dom.js";
import { begin, beginByPasskey } from "./node.js";
import { language, speak, t } from "./words.js";

export function login(languages, enter) {
  const problem = h("p", { role: "alert", class: "problem" });
  const account = h("input", { name: "account", autocomplete: "username", autocapitalize: "none", required: true });
  const password = h("input", { name: "password", type: "password", autocomplete: "current-password", required: true });
  const form = h("form", { class: "login", onsubmit: submit },
    h("h1", {}, "deconflict"),
    h("label", {}, t("login.account"), account),
    h("label", {}, t("login.password"), password),
    h("button", { class: "first" }, t("login.enter")),
    passkeys() && h("button", { type: "button", onclick: () => enterBy(beginByPasskey) }, t("login.passkey")),
    problem,
    h("label", {}, t("frame.language"), languageChoice(languages, async (wanted) => {
      await speak(wanted);
      localStorage.setItem("language", wanted);
      login(languages, enter);
    })));
  document.body.replaceChildren(h("main", {}, form));
  document.title = "deconflict";
  account.focus();

  function submit(event) {
    event.preventDefault();
    return enterBy(() => begin(account.value, password.value));
  }

  async function enterBy(way) {
    problem.textContent = "";
    try {
      await way();
      await enter();
    } catch (error) {
      problem.textContent = error.name === "NotAllowedError" ? t("login.passkey_not") : error.message;
    }
  }
}

// Browsers make passkeys for host names, not for addresses.
export const passkeys = () => Boolean(globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON) && !/^[\d.]+$|^\[/.test(location.hostname);

const NAMES = { en: "English", ru: "Русский", ar: "العربية" };

export const languageChoice = (languages, choose) =>
  h("select", { onchange: (event) => choose(event.target.value) },
    languages.map((each) => h("option", { value: each, lang: each, selected: each === language }, NAMES[each])));
