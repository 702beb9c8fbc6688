"""The address of a node: what of it may be shown, and what is none."""

import pytest

from heritage_contracts.sending.rpc import public_name
from heritage_sim.base import InputError


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:word@node.example/v3/access-key?x=secret", "https://node.example"),
        ("http://127.0.0.1:8545", "http://127.0.0.1:8545"),
        ("http://[::1]:8545/key", "http://[::1]:8545"),
    ],
)
def test_scheme_host_and_port_are_all_that_is_shown(url, shown):
    assert public_name(url) == shown


@pytest.mark.parametrize(
    "url", ["access-key", "http://", "ftp://h/access-key", "http://h:99999", "http://h:access-key"]
)
def test_what_is_no_address_is_refused_without_being_repeated(url):
    with pytest.raises(InputError, match="no address of a node") as told:
        public_name(url)
    assert "access-key" not in str(told.value)
