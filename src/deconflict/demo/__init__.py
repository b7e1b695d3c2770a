"""The demo: two real nodes on this machine, worked by the commands that anybody would type.

``story`` is what happens, as data; ``party`` is one side with its node, its commands and its
desk's screen; ``acts`` holds the steps; ``run`` plays them. Nothing here knows the node from
inside: every step goes through ``python -m deconflict``, and each promise is looked at afterwards.
"""
