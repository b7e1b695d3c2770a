"""Replay: incidents rebuilt as test data, played through real node cores on a virtual clock.

``case`` reads a case, ``world`` drives cores without network, disk or wall clock, ``play`` turns
the case into what operators do, ``rules`` says what each expectation means, ``judge`` holds what
the nodes raised against it.
"""
