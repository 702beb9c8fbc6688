"""Simulated wallets against eth-keys, which computes public keys another way."""

import pytest
from eth_keys import keys

from heritage_contracts.wallets import contract_address, family_addresses, family_key


@pytest.mark.parametrize("family", ["a", "payee\0salt"])
def test_addresses_belong_to_their_keys(family):
    for index, address in enumerate(family_addresses(family, 4)):
        private = keys.PrivateKey(family_key(family, index).to_bytes(32, "big"))
        assert private.public_key.to_canonical_address() == address


def test_families_and_members_are_apart():
    assert len(set(family_addresses("a", 50)) | set(family_addresses("b", 50))) == 100
    assert family_addresses("a", 0) == ()


def test_contract_addresses_follow_from_creator_and_number():
    # A published example: the first contracts of 0x6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0.
    creator = bytes.fromhex("6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0")
    assert contract_address(creator, 0).hex() == "cd234a471b72ba2f1ccf0a70fcaba648a5eecd8d"
    assert contract_address(creator, 1).hex() == "343c43a37d37dff08ae8c4a11544c718abb4fcf8"
    with pytest.raises(ValueError, match="nonce"):
        contract_address(creator, 128)
