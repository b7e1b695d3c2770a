// What a file proves, or where it does not.

import { figures } from "../shell/clock.js";
import { h } from "../shell/dom.js";
import { t } from "../shell/words.js";
import { exact } from "./instant.js";

const short = (hash) => hash.slice(0, 16);

export function provenFile(view, name) {
  if (view.state === "DONE") {
    const { kind, proven } = view.result;
    return [verdict(true, name), ...(kind === "RECORD" ? record(proven) : kind === "MESSAGE" ? message(proven) : fork(proven))];
  }
  return notProven(view, name);
}

// Why an inquiry found nothing: the file proves nothing, or nobody could look.
export function notProven(view, name = "") {
  if (view.state !== "NOT_VERIFIED") return [h("p", { class: "permission" }, t("record.failed", { problem: view.problem }))];
  const { problem, given, expected, remedy } = view.refused;
  return [verdict(false, name), ...[problem, given, expected, remedy].filter(Boolean).map((text) => h("p", { dir: "auto", class: "said" }, text))];
}

const verdict = (holds, name) => h("p", { class: holds ? "verified" : "overdue" }, h("strong", {}, t(holds ? "record.verified" : "record.not_verified")), " ", h("bdi", {}, name));

function record({ chains, by, exported_utc: at, agreed_terms: terms, line_id: line, sha256, unfound }) {
  const columns = ["party", "messages", "signed_for", "not_signed_for", "fixed", "drills", "late", "key"];
  return [
    h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("record.take") }, h("table", {},
      h("thead", {}, h("tr", {}, columns.map((name) => h("th", { scope: "col" }, t(`record.${name}`))))),
      h("tbody", {}, chains.map((chain) => h("tr", {}, h("th", { scope: "row" }, chain.party),
        [chain.length, chain.length - chain.unreceipted, chain.unreceipted, chain.cosigned, chain.drills, chain.delayed].map((count) => h("td", { class: "figure" }, String(count))),
        h("td", { class: "figure" }, short(chain.key_id))))))),
    h("p", {}, t("record.exported_by", { by, at: exact(at, "") })),
    h("p", {}, t("record.terms_signed", { count: terms.length })),
    h("p", { class: "soft figure" }, figures(`${line} · SHA-256 ${sha256}`)),
    ...unfound.map((each) => h("p", { class: "overdue" }, t("known.unfound", { party: each.party, seq: each.citing.seq, by }))),
  ];
}

const message = ({ party, to, envelope, size, cosigned_utc: at, hash }) => [
  h("p", {}, t("record.proves_message", { party, to, seq: envelope.seq, size, at: exact(at, "") })), h("p", { class: "soft figure" }, figures(hash))];

const fork = ({ party, number, first, second }) => [
  h("p", { class: "overdue" }, t("record.proves_fork", { party, number })), h("p", { class: "soft figure" }, figures(first)), h("p", { class: "soft figure" }, figures(second))];
