// Raising a concern about two declarations: what each side last said of its own on that line is named,
// and the peer's is cited, or what else the concern comes from.

import { get } from "../shell/node.js";
import { t } from "../shell/words.js";
import { say } from "../watch/actions.js";

export async function raiseConcern(line, first, second, ref = null) {
  const [one, other] = await Promise.all([saidOn(line, first), saidOn(line, second)]);
  const body = { first: first.declaration_id, second: second.declaration_id, first_message: one, second_message: other };
  return say(line, "CONCERN", body, { ref: ref ?? (first.own ? other : one) });
}

// The message that last said a declaration on a line; it may stand on several.
async function saidOn(line, { message_hashes: hashes, line_ids: lines }) {
  if (lines.length === 1 && lines[0] === line) return hashes.at(-1);
  for (const hash of hashes.toReversed()) if ((await get(`/messages/${hash}`)).line_id === line) return hash;
  throw new Error(t("card.not_on_line"));
}
