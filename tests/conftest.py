"""For every test: no network but loopback, no key and no setting from the machine it runs on."""

import ipaddress
import os
import socket

import pytest

from extractor.settings import ENVIRONMENT

_CONNECT = socket.socket.connect
_CONNECT_EX = socket.socket.connect_ex


def _refuse_outside(address):
    host = address[0] if isinstance(address, tuple) else None
    if host is None or host == "localhost" or ipaddress.ip_address(host).is_loopback:
        return
    raise AssertionError(f"A test tried to reach {host!r}: mark it allow_model_calls, or use a loopback endpoint.")


@pytest.fixture(autouse=True)
def offline(request, monkeypatch):
    """Sockets reach this machine alone, unless the test is marked `allow_model_calls`."""
    if request.node.get_closest_marker("allow_model_calls"):
        return

    def connect(sock, address):
        _refuse_outside(address)
        return _CONNECT(sock, address)

    def connect_ex(sock, address):
        _refuse_outside(address)
        return _CONNECT_EX(sock, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket.socket, "connect_ex", connect_ex)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    """No key, endpoint or setting of the machine reaches a test."""
    for name in {variable for variables in ENVIRONMENT.values() for variable in variables} | {
        "COLUMNS",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
    }:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    assert "OPENAI_API_KEY" not in os.environ
