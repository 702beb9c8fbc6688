"""Own signing against eth-account, an independent implementation: equal bytes."""

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from hypothesis import given
from hypothesis import strategies as st

from heritage_contracts.sending.signing import Fee, Signer, address_of, domain_separator, fields_of, rlp, typed_digest
from heritage_contracts.wallets import family_addresses, family_key

KEY = family_key("signing-test")
SIGNER = Signer(KEY)

numbers = st.one_of(st.sampled_from([0, 1, 127, 128, 255, 256, 2**40]), st.integers(0, 2**60))


@given(
    chain_id=st.integers(1, 2**60),
    nonce=numbers,
    most=numbers,
    tip=numbers,
    gas=numbers,
    to=st.one_of(st.just(b""), st.binary(min_size=20, max_size=20)),
    data=st.one_of(
        st.binary(max_size=300), st.sampled_from([b"\0", b"\x7f", b"\x80", b"a" * 55, b"a" * 56, b"b" * 70_000])
    ),
)
def test_a_transaction_has_the_bytes_that_eth_account_gives_it(chain_id, nonce, most, tip, gas, to, data):
    fields = {
        "type": 2,
        "chainId": chain_id,
        "nonce": nonce,
        "maxFeePerGas": most,
        "maxPriorityFeePerGas": tip,
        "gas": gas,
        "to": to,
        "value": 0,
        "data": data,
    }
    expected = Account.sign_transaction(fields, KEY.to_bytes(32, "big"))
    signed = SIGNER.transaction(chain_id, nonce, Fee(most, tip), gas, to, data)
    assert signed.raw == bytes(expected.raw_transaction)
    assert signed.hash == bytes(expected.hash)
    assert fields_of(signed.raw) == (nonce, (most, tip), gas, to, data)


def test_addresses_are_those_of_the_simulated_wallets():
    assert address_of(KEY) == family_addresses("signing-test", 1)[0]
    assert SIGNER.address == bytes.fromhex(Account.from_key(KEY).address[2:])


@given(nonce=st.integers(0, 2**64), deadline=st.integers(0, 2**64), payee=st.binary(min_size=32, max_size=32))
def test_typed_data_has_the_signature_that_eth_account_gives_it(nonce, deadline, payee):
    contract, account = b"\x01" * 20, b"\x02" * 20
    message = encode_typed_data(
        {"name": "PayeeRegistry", "version": "1", "chainId": 31_337, "verifyingContract": "0x" + contract.hex()},
        {
            "Rotation": [
                {"name": "payeeId", "type": "bytes32"},
                {"name": "newAccount", "type": "address"},
                {"name": "nonce", "type": "uint256"},
                {"name": "deadline", "type": "uint256"},
            ]
        },
        {"payeeId": payee, "newAccount": "0x" + account.hex(), "nonce": nonce, "deadline": deadline},
    )
    digest = typed_digest(
        domain_separator("PayeeRegistry", "1", 31_337, contract),
        "Rotation(bytes32 payeeId,address newAccount,uint256 nonce,uint256 deadline)",
        payee,
        account.rjust(32, b"\0"),
        nonce.to_bytes(32, "big"),
        deadline.to_bytes(32, "big"),
    )
    assert SIGNER.digest(digest) == bytes(Account.sign_message(message, KEY.to_bytes(32, "big")).signature)


@pytest.mark.parametrize(
    ("item", "encoded"),
    [
        # Ethereum yellow paper, appendix B, and the examples of the RLP specification.
        (b"", "80"),
        (b"\x0f", "0f"),
        (b"\x04\x00", "820400"),
        (b"dog", "83646f67"),
        ([b"cat", b"dog"], "c88363617483646f67"),
        ([], "c0"),
        ([[], [[]], [[], [[]]]], "c7c0c1c0c3c0c1c0"),
        (
            b"Lorem ipsum dolor sit amet, consectetur adipisicing elit",
            "b8384c6f72656d20697073756d20646f6c6f722073697420616d65742c20636f6e7365637465747572206164697069736963696e6720656c6974",
        ),
    ],
)
def test_length_prefixes_are_those_of_the_specification(item, encoded):
    assert rlp(item).hex() == encoded


def test_a_key_never_reaches_a_message():
    assert repr(SIGNER) == f"Signer(0x{SIGNER.address.hex()})"
