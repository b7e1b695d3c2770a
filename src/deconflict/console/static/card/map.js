// The map of one conflict: both declarations, where they are nearest, and where each is at the time
// shown. It is beside the words, never instead of them: everything on it stands in the card.

import { findingOf } from "../map/marks.js";
import { Moving } from "../map/moving.js";
import { Picture } from "../map/picture.js";
import { chosen, ready } from "../map/symbols.js";
import { thingOf } from "../map/things.js";
import { t } from "../shell/words.js";

// Resolves to what show(at) and end() are called on; null where the browser draws no map.
export async function openCardMap(box, sides, conflict, account) {
  const things = sides.filter((side) => side.declaration).map((side) => thingOf(side.declaration));
  const choice = chosen(account);
  await ready(choice);
  const picture = await Picture.open(box, { choice, label: t("card.map_label"), whole: () => things, pick: () => {} });
  if (!picture) return null;
  const flights = things.filter((thing) => thing.waypoints);
  const moving = new Moving(flights);
  picture.set({ things, findings: [findingOf(conflict)], flights, moving, selected: null });
  return {
    show(at) {
      moving.show(at);
      picture.show(at);
      picture.mark(at);
    },
    end: () => picture.end(),
  };
}
