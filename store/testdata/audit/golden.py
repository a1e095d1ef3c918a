#!/usr/bin/env python3
"""Hashes of audit entries, computed from the format's description alone.

The hash of an entry is SHA-256 over the hash before it (32 bytes; zeros before
the first) and then, each with its length in bytes before it as 64 bits, most
significant byte first: "kith audit 1", the account's id, the entry's number and
time in microseconds since 1970 (64 bits each, most significant byte first,
together one field), its id, actor and action, and the counts as JSON with
sorted keys and no spaces. Text is UTF-8.

Prints what TestAuditGolden has in it: python3 golden.py
"""
import hashlib
import json
import struct


def digest(account, before, seq, at, uid, actor, action, counts):
    packed = json.dumps(counts, sort_keys=True, separators=(",", ":"))
    h = hashlib.sha256(before)
    for field in (b"kith audit 1", account.encode(), struct.pack(">Qq", seq, at),
                  uid.encode(), actor.encode(), action.encode(), packed.encode()):
        h.update(struct.pack(">Q", len(field)) + field)
    return h.digest()


before = bytes(32)
for entry in (
    (1, 1715938200000000, "aaaaaaaaaaaaaaaaaaaaaaaaaa", "", "consent given", {"consent": 1}),
    (2, 1715938200000001, "bbbbbbbbbbbbbbbbbbbbbbbbbb", "admin:7", "erase person",
     {"templates": 12, "faces": 12, "people": 1, "decisions": 3}),
    (4294967296, -1, "cccccccccccccccccccccccccc", "a/b@c", "décide: überall", {}),
):
    before = digest("golden account", before, *entry)
    print(before.hex())
