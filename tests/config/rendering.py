"""What a recipe of tags gives."""

import re
import string
import time

CHOICES = {"r": bytes(range(256)), "rc": string.ascii_letters.encode(), "rd": string.digits.encode()}


def rendered(specification, random):
    """One packet of a recipe."""
    packet = b""
    for tag, argument in re.findall(r"<(\w+)(?: (\w+))?>", specification):
        if tag == "b":
            packet += bytes.fromhex(argument[2:])
        elif tag == "t":
            packet += int(time.time()).to_bytes(4)
        else:
            packet += bytes(random.choices(CHOICES[tag], k=int(argument)))
    return packet
