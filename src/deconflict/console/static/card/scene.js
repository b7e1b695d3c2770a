// Two declarations as bands of altitude over time. It is for looking: the node computes, this draws.

const TMM = 10_000;

const ms = (text) => Date.parse(text);

// The parts of a declaration: how low and how high from when to when.
export function partsOf(declaration) {
  const { trajectory, volumes = [] } = declaration.geometry;
  if (!trajectory) {
    return volumes.map(({ band, span }) => ({
      from: ms(span.start_utc), to: ms(span.end_utc),
      low: [band.lower_tmm, band.lower_tmm].map(metres(0)), high: [band.upper_tmm, band.upper_tmm].map(metres(null)),
    }));
  }
  const { waypoints, containment } = trajectory;
  const vertical = containment.vertical_tmm / TMM;
  return waypoints.slice(1).map((next, at) => {
    const here = waypoints[at];
    return {
      from: ms(here.at_utc), to: ms(next.at_utc),
      low: [here, next].map((point) => point.altitude_tmm / TMM - vertical), high: [here, next].map((point) => point.altitude_tmm / TMM + vertical),
    };
  });
}

const metres = (open) => (tmm) => (tmm === null ? open : tmm / TMM);
