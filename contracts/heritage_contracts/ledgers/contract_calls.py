"""The transactions that a ledger sends: who signs, which contract, what is said. One function for each."""

from __future__ import annotations

from collections.abc import Sequence

from heritage_contracts import calldata
from heritage_contracts.calldata import address_word, array, blob, blobs, call, text
from heritage_contracts.compiled import load
from heritage_contracts.config import LedgerConfig
from heritage_contracts.deployment import AUTHOR, FLOAT_UNITS, Deployment, role_address
from heritage_contracts.hashing import keccak256, word
from heritage_contracts.ledgers.kind import Label
from heritage_contracts.provenance import Work, single_salt
from heritage_contracts.schedule import CALL_GAS, DEPLOY_GAS, FIXED_GAS, MEMBER_GAS, PAYEE_GAS, SIGNATURE_GAS, Part
from heritage_contracts.sending.chain import Call
from heritage_contracts.sending.signing import Signer, domain_separator, typed_digest
from heritage_contracts.trees.epoch import Epoch

RULES = {"lap": 0, "decay": 1, "lrp": 2}
DEADLINE_S = 3_600
"""How long after the wished second a signature counts."""
_CONSENT = "Consent(uint32 community,bytes32 key,uint8 uses,uint48 expiresAt,uint256 nonce,uint256 deadline)"
_REGISTRATION = "Registration(bytes32 recordHash,address owner,bytes32 salt,uint256 deadline)"
_ROTATION = "Rotation(bytes32 payeeId,address newAccount,uint256 nonce,uint256 deadline)"
_COMMUNITY_ROTATION = (
    "CommunityRotation(bytes32 payeeId,address account,address newAccount,uint256 nonce,uint256 deadline)"
)
_CANCEL = "Cancel(bytes32 payeeId,uint256 nonce,uint256 deadline)"


def signed_by(members: Sequence[Signer], signers: Sequence[int], digest: bytes) -> list[bytes]:
    """Return one signature for each member in order, empty where a member does not sign."""
    return [member.digest(digest) if i in signers else b"" for i, member in enumerate(members)]


class ContractCalls:
    """Calls of one deployment.

    Parameters
    ----------
    at : Deployment
        Where the contracts stand.
    """

    def __init__(self, at: Deployment) -> None:
        self.at = at

    # ---- deployment ---------------------------------------------------------------------------------------------

    def create(self) -> list[Call]:
        """Return the calls that create the five contracts, in the order their addresses follow from."""
        at, config = self.at, self.at.config
        admin, registrar, poster, guardian, treasury = (
            address_word(role_address(r)) for r in ("admin", "registrar", "poster", "guardian", "treasury")
        )
        token, payees, registry = address_word(at.token), address_word(at.payees), address_word(at.registry)
        arguments = {
            "SettlementToken": calldata.encode(
                text(f"{config.currency_code} (simulated)"), text(config.currency_code), treasury
            ),
            "PayeeRegistry": calldata.encode(admin, registrar, word(config.rotation_delay_s)),
            "ProvenanceRegistry": calldata.encode(admin, registrar, payees),
            "EpochDistributor": calldata.encode(
                *(token, payees, registry, admin, poster, guardian),
                *(word(config.challenge_window_s), word(config.silence_s), word(config.notice_s)),
            ),
            "RoyaltyPool": calldata.encode(token, payees, registry, *_rule_words(config)),
        }
        return [
            Call("admin", b"", bytes.fromhex(load(name)["bytecode"]) + words, DEPLOY_GAS)
            for name, words in arguments.items()
        ]

    def register_payees(self, part: Part) -> Call:
        """Return the call that binds some payees to their first wallets."""
        at, items = self.at, part.items
        data = calldata.register_payees(
            [at.payee_ids[p] for p in items],
            [at.payee_addresses[p] for p in items],
            [at.community_of(p) + 1 for p in items],
        )
        return Call("registrar", at.payees, data, part.gas)

    def create_community(self, community: int) -> Call:
        """Return the call that enters a community with its members and fund."""
        at = self.at
        members = [address_word(m.address) for m in at.members(community)]
        signature = "createCommunity(uint32,address[],uint8,bytes32)"
        threshold = word(at.config.community_threshold)
        data = call(signature, word(community + 1), array(members), threshold, at.payee_ids[community])
        return Call("registrar", at.payees, data, FIXED_GAS + MEMBER_GAS * len(members))

    def prepare_money(self) -> list[Call]:
        """Return the calls that give poster and treasury their float, and let the contracts pull from it."""
        at = self.at
        pulls = (("poster", at.distributor), ("treasury", at.distributor), ("treasury", at.pool))
        return [self.mint(role_address(role), FLOAT_UNITS) for role in ("poster", "treasury")] + [
            Call(role, at.token, call("approve(address,uint256)", address_word(to), b"\xff" * 32), CALL_GAS)
            for role, to in pulls
        ]

    def mint(self, account: bytes, units: int) -> Call:
        """Return the call by which the treasury creates tokens."""
        return Call(
            "treasury", self.at.token, call("mint(address,uint256)", address_word(account), word(units)), CALL_GAS
        )

    # ---- works --------------------------------------------------------------------------------------------------

    def register_batch(self, head: bytes, works: Sequence[Work], gas: int) -> Call:
        """Return the call that enters a batch on top of a head."""
        data = calldata.register_batch(head, b"".join(work.packed for work in works))
        return Call("registrar", self.at.registry, data, gas)

    def commit(self, work: Work) -> Call:
        """Return the call by which the author announces a work."""
        owner = address_word(role_address(AUTHOR))
        commitment = keccak256(owner + single_salt(self.at, work.record.work_id) + keccak256(work.packed))
        return Call(AUTHOR, self.at.registry, call("commit(bytes32)", commitment), CALL_GAS)

    def reveal(self, work: Work) -> Call:
        """Return the call by which the author registers the announced work."""
        data = call("reveal(bytes,bytes32)", blob(work.packed), single_salt(self.at, work.record.work_id))
        return Call(AUTHOR, self.at.registry, data, 2 * CALL_GAS)

    def register_signed(self, work: Work, owner: int, now_s: int) -> Call:
        """Return the call by which the registrar brings a work that a payee's first wallet signed for."""
        at = self.at
        wallet, salt, deadline = at.wallet(owner), single_salt(at, work.record.work_id), word(now_s + DEADLINE_S)
        account = address_word(wallet.address)
        digest = self._digest("ProvenanceRegistry", _REGISTRATION, keccak256(work.packed), account, salt, deadline)
        signature = "registerSigned(bytes,address,bytes32,uint256,bytes)"
        data = call(signature, blob(work.packed), account, salt, deadline, blob(wallet.digest(digest)))
        return Call("registrar", at.registry, data, 2 * CALL_GAS)

    def open_work(self, work: Work, first: int, proof: Sequence[bytes], gas: int) -> Call:
        """Return the call that stores a work of a batch."""
        words = word(work.number), word(first), blob(work.packed), array(proof)
        return Call("relayer", self.at.registry, call("open(uint256,uint256,bytes,bytes32[])", *words), gas)

    def make_payable(self, work: Work, gas: int) -> Call:
        """Return the call that lets a work be paid along its sources."""
        return Call("relayer", self.at.pool, call("open(bytes32,bytes)", work.key, blob(work.packed)), gas)

    def set_consent(self, label: Label, signers: Sequence[int], nonce: int, now_s: int) -> Call:
        """Return the call that puts a label down, signed by members of its community."""
        at = self.at
        fixed = word(label.community + 1), label.key, word(label.uses), word(label.expires_s)
        deadline = word(now_s + DEADLINE_S)
        digest = self._digest("ProvenanceRegistry", _CONSENT, *fixed, word(nonce), deadline)
        signatures = signed_by(at.members(label.community), signers, digest)
        data = call("setConsent(uint32,bytes32,uint8,uint48,uint256,bytes[])", *fixed, deadline, blobs(signatures))
        return Call("relayer", at.registry, data, CALL_GAS + SIGNATURE_GAS * len(signatures))

    # ---- direct payments ----------------------------------------------------------------------------------------

    def pay_recorded(self, payments: Sequence[tuple[Work, int, int, Sequence[bytes]]], gas: int) -> Call:
        """Return the call that pays works without sources: (work, first number of its batch, units, proof) each."""
        rows = [(work.number, first, units, work.packed, proof) for work, first, units, proof in payments]
        return Call("treasury", self.at.pool, calldata.pay_recorded(rows), gas)

    def pay_along(self, works: Sequence[Work], units: Sequence[int], gas: int) -> Call:
        """Return the call that pays works along their sources."""
        keys, amounts = array([work.key for work in works]), array([word(u) for u in units])
        return Call("treasury", self.at.pool, call("payMany(bytes32[],uint256[])", keys, amounts), gas)

    def withdraw_many(self, payees: Sequence[int], gas: int) -> Call:
        """Return the call that pays balances of direct payments to their payees."""
        data = call("withdrawMany(bytes32[])", array([self.at.payee_ids[p] for p in payees]))
        return Call("relayer", self.at.pool, data, gas)

    # ---- epochs -------------------------------------------------------------------------------------------------

    def fund(self, units: int) -> Call:
        """Return the call that pays into the distributor ahead of a posting."""
        return Call("treasury", self.at.distributor, call("fund(uint256)", word(units)), CALL_GAS)

    def post(self, epoch: Epoch) -> Call:
        """Return the call that posts an epoch and pulls what its total lacks."""
        words = word(epoch.epoch), epoch.root, word(epoch.total), epoch.provenance_head, epoch.data_hash
        data = call("post(uint256,bytes32,uint256,bytes32,bytes32)", *words)
        return Call("poster", self.at.distributor, data, CALL_GAS)

    def finalize(self, epoch: int) -> Call:
        """Return the call that makes a pending epoch final."""
        return Call("relayer", self.at.distributor, call("finalize(uint256)", word(epoch)), CALL_GAS)

    def dispute(self, epoch: int) -> Call:
        """Return the call by which the guardian drops a pending epoch."""
        return Call("guardian", self.at.distributor, call("dispute(uint256)", word(epoch)), CALL_GAS)

    def claim(self, payee: int, epoch: Epoch | None) -> Call:
        """Return the call that claims for one payee under an epoch."""
        return self._proven("claim(bytes32,uint256,bytes32[])", payee, epoch)

    def give_notice(self, payee: int, epoch: Epoch | None) -> Call:
        """Return the call that gives notice of a payee's unclaimed money under an epoch."""
        return self._proven("giveNotice(bytes32,uint256,bytes32[])", payee, epoch)

    def claim_escape(self, payee: int, epoch: Epoch | None) -> Call:
        """Return the call that claims a payee's share of a winding up under an epoch."""
        return self._proven("claimEscape(bytes32,uint256,bytes32[])", payee, epoch)

    def _proven(self, signature: str, payee: int, epoch: Epoch | None) -> Call:
        """Return a call about what an epoch says of a payee; where there is none, the contract says so."""
        units = word(int(epoch.cumulative[payee]) if epoch else 0)
        data = call(signature, self.at.payee_ids[payee], units, array(epoch.proof(payee) if epoch else []))
        return Call("relayer", self.at.distributor, data, CALL_GAS)

    def claim_multi(self, payees: Sequence[int], epoch: Epoch, gas: int) -> Call:
        """Return the call that claims for several payees by one proof."""
        order, proof, flags = epoch.multiproof(payees)
        ids = [self.at.payee_ids[p] for p in order]
        data = calldata.claim_multi(ids, [int(epoch.cumulative[p]) for p in order], proof, flags)
        return Call("relayer", self.at.distributor, data, gas)

    def expire(self, payee: int) -> Call:
        """Return the call that carries a notice out."""
        return Call("relayer", self.at.distributor, call("expire(bytes32)", self.at.payee_ids[payee]), CALL_GAS)

    def wind_up(self) -> Call:
        """Return the call that ends posting for good."""
        return Call("relayer", self.at.distributor, call("windUp()"), CALL_GAS)

    # ---- payees -------------------------------------------------------------------------------------------------

    def request_rotation(self, payee: int, holder: Signer, new_account: bytes, nonce: int, now_s: int) -> Call:
        """Return the call by which a holder asks that the money go to another account."""
        deadline = word(now_s + DEADLINE_S)
        words = self.at.payee_ids[payee], address_word(new_account)
        signature = holder.digest(self._digest("PayeeRegistry", _ROTATION, *words, word(nonce), deadline))
        data = call("requestRotation(bytes32,address,uint256,bytes)", *words, deadline, blob(signature))
        return Call("relayer", self.at.payees, data, CALL_GAS)

    def request_rotation_by_community(
        self, payee: int, signers: Sequence[int], accounts: tuple[bytes, bytes], nonce: int, now_s: int
    ) -> Call:
        """Return the call by which members ask that a payee's money go from one account to another."""
        at, deadline = self.at, word(now_s + DEADLINE_S)
        old, new = (address_word(a) for a in accounts)
        digest = self._digest(
            "PayeeRegistry", _COMMUNITY_ROTATION, at.payee_ids[payee], old, new, word(nonce), deadline
        )
        community = at.community_of(payee)
        signatures = signed_by(at.members(community), signers, digest) if community >= 0 else []
        signature = "requestRotationByCommunity(bytes32,address,uint256,bytes[])"
        data = call(signature, at.payee_ids[payee], new, deadline, blobs(signatures))
        return Call("relayer", at.payees, data, CALL_GAS + SIGNATURE_GAS * len(signatures))

    def cancel_rotation(self, payee: int, holder: Signer, nonce: int, now_s: int) -> Call:
        """Return the call by which a holder withdraws a pending rotation."""
        payee_id, deadline = self.at.payee_ids[payee], word(now_s + DEADLINE_S)
        signature = holder.digest(self._digest("PayeeRegistry", _CANCEL, payee_id, word(nonce), deadline))
        data = call("cancelRotation(bytes32,uint256,bytes)", payee_id, deadline, blob(signature))
        return Call("relayer", self.at.payees, data, CALL_GAS)

    def complete_rotation(self, payee: int) -> Call:
        """Return the call that lets a rotation take effect."""
        return Call("relayer", self.at.payees, call("completeRotation(bytes32)", self.at.payee_ids[payee]), CALL_GAS)

    def _digest(self, contract: str, type_text: str, *words: bytes) -> bytes:
        """Return the EIP-712 digest of a struct for one of the two registries."""
        address = self.at.payees if contract == "PayeeRegistry" else self.at.registry
        return typed_digest(domain_separator(f"heritage {contract}", "1", self.at.chain_id, address), type_text, *words)


def payee_parts(num_payees: int) -> list[int]:
    """Return the gas bound of each payee's registration."""
    return [PAYEE_GAS] * num_payees


def _rule_words(config: LedgerConfig) -> tuple[bytes, bytes, bytes]:
    return word(RULES[config.payment_rule]), word(config.payment_every_path), word(config.payment_decay_parts)
