// The own account: password and passkeys. For an administrator also everybody's accounts, and who
// came and went.

import { utc } from "../shell/clock.js";
import { h } from "../shell/dom.js";
import { ask } from "../shell/ask.js";
import { passkeys } from "../shell/login.js";
import { call, get, makePasskey, may, post } from "../shell/node.js";
import { named, t } from "../shell/words.js";
import { exercisePart } from "./exercise.js";
import { backupPart, certificatePart } from "./machine.js";

const ROLES = ["watch_officer", "releasing_officer", "interpreter", "senior_1", "senior_2", "senior_3", "legal_adviser", "auditor", "humanitarian_notifier", "civil_liaison", "administrator"];

export function open(main, desk) {
  const { frame, me, about } = desk;
  const exercise = may("send") ? exercisePart(desk) : { node: false, leave: () => {} };
  const backups = may("health") ? backupPart(desk) : { node: false, leave: () => {} };
  const keys = h("ul", { class: "stack" });
  const everybody = h("div", { class: "stack" });
  main.replaceChildren(h("div", { class: "two" },
    h("section", { "aria-labelledby": "h-own" }, h("h2", { id: "h-own" }, t("account.own", { account: me.account })),
      h("p", {}, me.roles.map((role) => named("role", role)).join(", ")),
      me.signed_off_utc && h("p", { class: "permission" }, t("account.signed_off")),
      h("div", { class: "row" }, h("button", { type: "button", onclick: () => changePassword() }, t("account.password"))),
      h("h3", {}, t("account.passkeys")), keys,
      passkeys() ? h("button", { type: "button", onclick: () => addPasskey() }, t("account.add_passkey")) : h("p", { class: "soft" }, t("account.no_passkeys"))),
    h("div", { class: "stack" }, exercise.node, certificatePart(desk), backups.node, everybody)));
  showPasskeys();
  if (may("administer")) showEverybody();
  return () => {
    exercise.leave();
    backups.leave();
  };

  async function showPasskeys() {
    try {
      const found = await get("/me/passkeys");
      keys.replaceChildren(...found.map((each) => h("li", { class: "row" }, h("span", { class: "grow" }, `${each.name} · ${each.rp_id} · `, h("span", { class: "figure" }, utc(each.created_utc))),
        h("button", { type: "button", "aria-label": t("account.remove_passkey", { name: each.name }), onclick: () => removePasskey(each) }, t("account.remove")))));
      if (!found.length) keys.replaceChildren(h("li", { class: "soft" }, t("account.none")));
    } catch (error) {
      frame.problem(error);
    }
  }

  function changePassword() {
    ask({ title: t("account.password"), wanted: { old_password: "password", new_password: "password" }, verb: t("account.change"), send: (body) => post("/me/password", body) });
  }

  function addPasskey() {
    ask({ title: t("account.add_passkey"), wanted: { name: "text", password: "password" }, verb: t("account.add_passkey"),
      send: ({ name, password }) => makePasskey(name, password).then(showPasskeys) });
  }

  function removePasskey({ passkey_id: id, name }) {
    ask({ title: t("account.remove_passkey", { name }), danger: true, sure: () => t("account.remove_sure", { name }), verb: t("account.remove"),
      send: () => call("DELETE", `/me/passkeys/${id}`).then(showPasskeys) });
  }

  async function showEverybody() {
    try {
      const [accounts, trail] = await Promise.all([get("/accounts"), get("/accounts/trail")]);
      everybody.replaceChildren(
        h("section", { "aria-labelledby": "h-accounts" }, h("h2", { id: "h-accounts" }, t("account.all")),
          h("table", {}, h("thead", {}, h("tr", {}, ["name", "roles", "desk", "state"].map((name) => h("th", { scope: "col" }, t(`account.${name}`))))),
            h("tbody", {}, accounts.map((each) => h("tr", {}, h("td", {}, each.name), h("td", {}, each.roles.map((role) => named("role", role)).join(", ")), h("td", {}, each.desk),
              h("td", {}, h("button", { type: "button", onclick: () => turn(each) }, t(each.disabled ? "account.enable" : "account.disable"))))))),
          h("div", { class: "row" }, h("button", { type: "button", class: "first", onclick: () => addAccount() }, t("account.add")))),
        h("section", { "aria-labelledby": "h-trail" }, h("h2", { id: "h-trail" }, t("account.trail")),
          h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("account.trail") }, h("table", {}, h("tbody", {}, trail.map((each) => h("tr", {}, h("td", { class: "figure" }, utc(each.at_utc)), h("td", {}, each.account), h("td", {}, each.event), h("td", {}, each.by))))))));
    } catch (error) {
      frame.problem(error);
    }
  }

  function turn({ name, disabled }) {
    const way = disabled ? "enable" : "disable";
    ask({ title: `${t(`account.${way}`)}: ${name}`, danger: !disabled, sure: () => t(`account.${way}_sure`, { name }), verb: t(`account.${way}`), send: () => post(`/accounts/${name}/${way}`).then(showEverybody) });
  }

  function addAccount() {
    ask({ title: t("account.add"), wanted: { name: "text", password: "password", role: "text", desk: "text" },
      choices: { role: ROLES.map((role) => [role, named("role", role)]), desk: about.desks.map((each) => [each, each]) }, verb: t("account.add"),
      send: ({ name, password, role, desk: at }) => post("/accounts", { name, password, roles: [role], desk: at }).then(showEverybody) });
  }
}
