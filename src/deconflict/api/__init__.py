"""The operators' JSON API: accounts, one route a use case, a live event stream.

:func:`~deconflict.api.app.build_operator_app` makes the application of a node,
:func:`~deconflict.api.server.build_operator_server` the server that carries it on loopback.
"""
