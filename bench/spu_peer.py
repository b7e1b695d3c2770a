"""One direction by the PSI of SPU, in a Python that has it: prints one line of JSON.

    python -m bench.spu_peer PROTOCOL COUNT OVERLAP

PROTOCOL is RR22, KKRT or ECDH (Elligator2; the plain curve of its name tells one bit of each
element). Both sides are threads of this process. It answers less: both are taken to follow the
protocol, and whoever receives learns which of its own elements are in both.
"""

import csv
import json
import os
import resource
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import spu.libspu.link as link
import spu.psi as psi

RECEIVER = 0


def config_of(protocol: str, given: Path, told: Path) -> Any:
    """Return what one side runs."""
    chosen = psi.PsiProtocolConfig(
        protocol=psi.parse_protocol(f"PROTOCOL_{protocol}"),
        receiver_rank=RECEIVER,
        broadcast_result=False,
        ecdh_params=psi.EcdhParams(curve=psi.EllipticCurveType.CURVE_25519_ELLIGATOR2),
    )
    return psi.PsiExecuteConfig(
        protocol_conf=chosen,
        input_params=psi.InputParams(path=str(given), selected_keys=["id"], keys_unique=True),
        output_params=psi.OutputParams(path=str(told), disable_alignment=True),
    )


def main() -> None:
    protocol, count, overlap = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    lists = [range(count), range(count - overlap, 2 * count - overlap)]
    desc = link.Desc()
    desc.recv_timeout_ms = 1_800_000  # beside other work a step of ECDH takes minutes
    for name in ("receiver", "sender"):
        desc.add_party(name, f"thread_{name}")
    reports: dict[int, Any] = {}
    with tempfile.TemporaryDirectory() as temporary:
        paths = [Path(temporary) / f"{rank}.csv" for rank in range(2)]
        for path, numbers in zip(paths, lists, strict=True):
            with path.open("w", newline="") as file:
                rows = csv.writer(file)
                rows.writerow(["id"])
                rows.writerows([f"{number:020d}"] for number in numbers)

        def side(rank: int) -> None:
            context = link.create_mem(desc, rank)
            config = config_of(protocol, paths[rank], Path(temporary) / f"told{rank}.csv")
            reports[rank] = psi.psi_execute(config, context)

        before, begun = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        both = [threading.Thread(target=side, args=(rank,)) for rank in range(2)]
        for one in both:
            one.start()
        for one in both:
            one.join()
        wall_s = time.perf_counter() - begun
        after = resource.getrusage(resource.RUSAGE_SELF)
    processor_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    answer = {
        "found": reports[RECEIVER].intersection_count,
        "processor_s": processor_s,
        "wall_s": wall_s,
    }
    print(json.dumps(answer), flush=True)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what SPU logs as it ends is no answer


if __name__ == "__main__":
    main()
