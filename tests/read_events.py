#!/usr/bin/env python3
"""Reads TensorBoard event files, written from the formats' specifications alone: TFRecord framing, CRC-32C by bits
(RFC 3720), protocol buffers' wire format. Prints a JSON object an event; any checksum or field that is wrong ends it.

usage: read_events.py FILE..
"""
import json
import struct
import sys


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def check(data, stored, what):
    crc = crc32c(data)
    masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
    if masked != stored:
        sys.exit(f"{what}: checksum {stored:#x}, expected {masked:#x}")


def records(path):
    with open(path, "rb") as file:
        data = file.read()
    at = 0
    while at < len(data):
        (length,) = struct.unpack_from("<Q", data, at)
        check(data[at:at + 8], struct.unpack_from("<I", data, at + 8)[0], f"{path}: length at {at}")
        body = data[at + 12:at + 12 + length]
        if len(body) != length:
            sys.exit(f"{path}: the record at {at} ends early")
        check(body, struct.unpack_from("<I", data, at + 12 + length)[0], f"{path}: record at {at}")
        yield body
        at += 16 + length


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 128:
            return value, at


def fields(data):
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = varint(data, at)
        elif wire == 1:
            value, at = struct.unpack_from("<d", data, at)[0], at + 8
        elif wire == 2:
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
        elif wire == 5:
            value, at = struct.unpack_from("<f", data, at)[0], at + 4
        else:
            sys.exit(f"wire type {wire}")
        yield number, wire, value
    if at != len(data):
        sys.exit("a message ends early")


def named(data, names):
    """Fields of a message as {name: value}; `names` has {number: (name, wire type)}, and nothing else may come."""
    found = {}
    for number, wire, value in fields(data):
        name, expected = names[number]
        if wire != expected or name in found:
            sys.exit(f"field {name}: wire type {wire}, expected {expected}, once")
        found[name] = value
    return found


def doubles(data):
    return list(struct.unpack(f"<{len(data) // 8}d", data))


def histogram(data):
    facts = named(data, {1: ("min", 1), 2: ("max", 1), 3: ("num", 1), 4: ("sum", 1), 5: ("sum_squares", 1),
                         6: ("bucket_limit", 2), 7: ("bucket", 2)})
    facts["bucket_limit"], facts["bucket"] = doubles(facts["bucket_limit"]), doubles(facts["bucket"])
    limits = facts["bucket_limit"]
    if len(limits) != len(facts["bucket"]) or limits != sorted(limits) or sum(facts["bucket"]) != facts["num"]:
        sys.exit(f"histogram {facts}")
    return facts


def event(data):
    all_of_it = named(data, {1: ("wall_time", 1), 2: ("step", 0), 3: ("file_version", 2), 5: ("summary", 2)})
    if "file_version" in all_of_it:
        all_of_it["file_version"] = all_of_it["file_version"].decode()
    if "summary" in all_of_it:
        value = named(named(all_of_it.pop("summary"), {1: ("value", 2)})["value"],
                      {1: ("tag", 2), 2: ("simple_value", 5), 5: ("histo", 2)})
        value["tag"] = value["tag"].decode()
        if "histo" in value:
            value["histo"] = histogram(value["histo"])
        all_of_it.update(value)
    return all_of_it


def main():
    if crc32c(b"123456789") != 0xE3069283:
        sys.exit("the checksum itself is wrong")
    for path in sys.argv[1:]:
        for number, record in enumerate(records(path)):
            one = event(record)
            if (number == 0) != (one.get("file_version") == "brain.Event:2"):
                sys.exit(f"{path}: the version is not that of the first event alone")
            print(json.dumps(one))


if __name__ == "__main__":
    main()
