"""One direction by OpenMined PSI, in a Python that has it: prints one line of JSON.

    python -m bench.openmined_peer COUNT OVERLAP

It answers less: both sides are taken to follow the protocol (no proofs, no caps, no sessions).
"""

import json
import resource
import sys
import time

import private_set_intersection.python as psi

FALSE_POSITIVES = 1e-12  # as many as tags of 12 bytes allow for: 2**-40


def main() -> None:
    count, overlap = (int(word) for word in sys.argv[1:3])
    asked = [f"{number:020d}" for number in range(count)]
    held = [f"{number:020d}" for number in range(count - overlap, 2 * count - overlap)]
    before, begun = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    client = psi.client.CreateWithNewKey(True)
    server = psi.server.CreateWithNewKey(True)
    setup = server.CreateSetupMessage(FALSE_POSITIVES, count, held, psi.DataStructure.GCS)
    request = client.CreateRequest(asked)
    response = server.ProcessRequest(request)
    found = client.GetIntersection(setup, response)
    wall_s = time.perf_counter() - begun
    after = resource.getrusage(resource.RUSAGE_SELF)
    processor_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    sizes = sum(len(part.SerializeToString()) for part in (setup, request, response))
    answer = {"found": len(found), "processor_s": processor_s, "wall_s": wall_s, "bytes": sizes}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
