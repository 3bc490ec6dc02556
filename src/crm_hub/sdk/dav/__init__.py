"""Calendars and address books on WebDAV servers: what the connectors of both share.

hrefs, davxml      addresses and XML, one spelling, with limits
client             the calls, and what the servers' answers mean
discovery          from an address to collections
fetching, walk     their resources, in pages: all of them, or what changed
state              the checkpoint
pushing            writes: conditional, lossless, recognised when they are repeated
account            one user's collections on one server, found once
"""
