// The map of what was found: own sorties as the plan stands now, and a cross where own cells come too
// close. Nothing of the peer's is on it: nothing of the peer's is known.

import { Moving } from "../map/moving.js";
import { Picture } from "../map/picture.js";
import { chosen, ready } from "../map/symbols.js";
import { degrees, thingOf } from "../map/things.js";
import { t } from "../shell/words.js";

// Resolves to what select(hit) and end() are called on; null where the browser draws no map.
export async function openHitMap(box, hits, sorties, { party, account, pick }) {
  const names = new Set(hits.map((hit) => hit.sortie));
  const things = sorties.filter(({ label, declaration_id: id }) => names.has(label ?? id.slice(0, 12))).map((sortie) => thingOf({ ...sortie, party, own: true, drill: false }));
  const findings = hits.map((hit) => ({ key: `${hit.sortie} ${hit.start_utc} ${hit.lat_e7} ${hit.lon_e7}`, conflict: hit, places: [degrees(hit)], from: Date.parse(hit.start_utc), to: Date.parse(hit.end_utc) }));
  const choice = chosen(account);
  await ready(choice);
  const picture = await Picture.open(box, { choice, label: t("private.map_label"), whole: () => things, pick: (thing) => thing?.conflict && pick(thing.conflict) });
  if (!picture) return null;
  const flights = things.filter((thing) => thing.waypoints);
  const moving = new Moving(flights);
  picture.set({ things, findings, flights, moving, selected: null });
  const show = (finding, toMap) => {
    moving.show(finding.from);
    picture.show(finding.from);
    picture.mark(finding.from);
    if (toMap) picture.select(finding, true);
  };
  show(findings[0], !things.length);
  return {
    select: (hit) => show(findings.find(({ conflict }) => conflict === hit), true),
    end: () => picture.end(),
  };
}
