"""Servers that BarberPro is measured against. Each gives one payload to one room, once for every line on its stdin.

They print `listening PORT` when they are ready, listen on 127.0.0.1, and end when their stdin does.
"""
