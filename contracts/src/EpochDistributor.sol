// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {ProvenanceRegistry} from "./ProvenanceRegistry.sol";

/// @title Royalties of streams, epoch by epoch, by cumulative Merkle root
/// @notice Once an epoch the poster commits to what every payee has earned since the beginning and pays the epoch's pool
/// in, in one transaction. After a challenge window the root becomes final and anybody may claim for any payee; the money
/// goes to the payee's registered address. The cost of posting does not depend on the number of payees, a missed claim
/// loses nothing, and claiming twice pays nothing.
///
/// A leaf is keccak256(keccak256(abi.encode(chainId, this, payeeId, cumulative))): bound to chain and contract, hashed
/// twice so that no inner node passes for a leaf. Pairs are hashed in sorted order. Payee ids are salted hashes; nothing
/// personal is on the chain.
contract EpochDistributor is ReentrancyGuard {
    using SafeERC20 for IERC20;
    using SafeCast for uint256;

    /// @param root Merkle root over (payee, cumulative amount).
    /// @param total Sum of all leaves: the ceiling of what may ever be claimed under this root.
    /// @param time When it was posted (pending) or became final, in seconds.
    struct Root {
        bytes32 root;
        uint128 total;
        uint64 time;
    }

    /// @param payeeId Salted hash of the payee.
    /// @param cumulative What the final root says the payee has earned since the beginning.
    /// @param proof Siblings from the leaf up to the root.
    struct Claim {
        bytes32 payeeId;
        uint256 cumulative;
        bytes32[] proof;
    }

    IERC20 public immutable token;
    ProvenanceRegistry public immutable registry;
    /// @notice Posts roots, pays pools in and registers payees.
    address public immutable poster;
    /// @notice May stop a pending root, never a final one; can move no money to itself.
    address public immutable guardian;
    /// @notice Seconds between posting and the earliest finalisation.
    uint64 public immutable challengeWindow;

    /// @notice The root under which claims are paid.
    Root public finalRoot;
    /// @notice The root that waits for its window to pass, where `isPending`. It is left standing afterwards: a slot that
    /// is written over costs a quarter of one that was cleared.
    Root public pendingRoot;
    /// @notice The only epoch that can be posted next.
    uint64 public nextEpoch;
    /// @notice Whether the last posted epoch still waits to be finalised.
    bool public isPending;
    /// @notice Sum of all claims paid.
    uint128 public totalClaimed;

    /// @notice Where a payee's money goes.
    mapping(bytes32 payeeId => address account) public accountOf;
    /// @notice What a payee has been paid since the beginning.
    mapping(bytes32 payeeId => uint256 amount) public claimed;

    event PayeeRegistered(bytes32 indexed payeeId, address indexed account);
    event Posted(
        uint256 indexed epoch, bytes32 root, uint256 total, uint256 deposit, bytes32 provenanceHead, bytes32 dataHash
    );
    event Finalized(uint256 indexed epoch, bytes32 root, uint256 total);
    event Disputed(uint256 indexed epoch, bytes32 root, uint256 refund);
    event Claimed(bytes32 indexed payeeId, address indexed account, uint256 amount, uint256 cumulative);

    error NotPoster(address caller);
    error NotGuardian(address caller);
    error WrongLengths();
    error PayeeExists(bytes32 payeeId);
    error UnknownPayee(bytes32 payeeId);
    error ZeroAccount(bytes32 payeeId);
    error WrongEpoch(uint256 expected, uint256 given);
    error StillPending(uint256 epoch);
    error NothingPending();
    error TotalFell(uint256 before, uint256 given);
    error WrongDeposit(uint256 expected, uint256 received);
    error WrongProvenanceHead(bytes32 expected, bytes32 given);
    error WindowOpen(uint256 until);
    error WrongProof(bytes32 payeeId, uint256 cumulative);
    error NothingDue(bytes32 payeeId);
    error AboveCeiling(uint256 ceiling, uint256 wanted);

    modifier onlyPoster() {
        if (msg.sender != poster) revert NotPoster(msg.sender);
        _;
    }

    /// @param token_ What is paid out.
    /// @param registry_ Its head is bound into every posted epoch.
    /// @param poster_ Posts roots, pays pools in and registers payees.
    /// @param guardian_ May stop a pending root.
    /// @param challengeWindow_ Seconds between posting and the earliest finalisation.
    constructor(
        IERC20 token_,
        ProvenanceRegistry registry_,
        address poster_,
        address guardian_,
        uint64 challengeWindow_
    ) {
        token = token_;
        registry = registry_;
        poster = poster_;
        guardian = guardian_;
        challengeWindow = challengeWindow_;
    }

    /// @notice Bind payee ids to the addresses that will be paid. A binding cannot be changed.
    /// @param payeeIds Salted hashes, each new.
    /// @param accounts Their addresses, not zero, in the same order.
    function registerPayees(bytes32[] calldata payeeIds, address[] calldata accounts) external onlyPoster {
        if (payeeIds.length != accounts.length) revert WrongLengths();
        for (uint256 i = 0; i < payeeIds.length; ++i) {
            if (accountOf[payeeIds[i]] != address(0)) revert PayeeExists(payeeIds[i]);
            if (accounts[i] == address(0)) revert ZeroAccount(payeeIds[i]);
            accountOf[payeeIds[i]] = accounts[i];
            emit PayeeRegistered(payeeIds[i], accounts[i]);
        }
    }

    /// @notice Commit to the next epoch and pay its pool in.
    /// @param epoch Must be `nextEpoch`; the one before must be final.
    /// @param root Merkle root over cumulative amounts.
    /// @param total Sum of all leaves. What it exceeds the last final total by is pulled from the sender and must arrive
    /// in full: the balance is measured before and after.
    /// @param provenanceHead Must be the registry's head, so that the epoch names the graph it was settled on.
    /// @param dataHash Hash of the published statement from which anybody can rebuild the root.
    function post(uint256 epoch, bytes32 root, uint256 total, bytes32 provenanceHead, bytes32 dataHash)
        external
        onlyPoster
        nonReentrant
    {
        if (isPending) revert StillPending(nextEpoch - 1);
        if (epoch != nextEpoch) revert WrongEpoch(nextEpoch, epoch);
        uint256 before = finalRoot.total;
        if (total < before) revert TotalFell(before, total);
        bytes32 head = registry.head();
        if (provenanceHead != head) revert WrongProvenanceHead(head, provenanceHead);
        uint256 deposit = total - before;
        pendingRoot = Root(root, total.toUint128(), uint64(block.timestamp));
        nextEpoch = uint64(epoch + 1);
        isPending = true;
        emit Posted(epoch, root, total, deposit, provenanceHead, dataHash);

        uint256 balance = token.balanceOf(address(this));
        token.safeTransferFrom(msg.sender, address(this), deposit);
        uint256 received = token.balanceOf(address(this)) - balance;
        if (received != deposit) revert WrongDeposit(deposit, received);
    }

    /// @notice Make the pending root final once its window has passed. Anybody may call.
    /// @param epoch The pending epoch.
    function finalize(uint256 epoch) external {
        Root memory pending = _pending(epoch);
        uint256 until = uint256(pending.time) + challengeWindow;
        if (block.timestamp < until) revert WindowOpen(until);
        finalRoot = Root(pending.root, pending.total, uint64(block.timestamp));
        isPending = false;
        emit Finalized(epoch, pending.root, pending.total);
    }

    /// @notice Stop a pending root: its deposit goes back to the poster, who may post the epoch again.
    /// @param epoch The pending epoch.
    function dispute(uint256 epoch) external nonReentrant {
        if (msg.sender != guardian) revert NotGuardian(msg.sender);
        Root memory pending = _pending(epoch);
        uint256 refund = pending.total - finalRoot.total;
        isPending = false;
        nextEpoch = uint64(epoch);
        emit Disputed(epoch, pending.root, refund);
        token.safeTransfer(poster, refund);
    }

    /// @notice Pay one payee what is due. Anybody may call; the money goes to the registered address.
    /// @param payeeId Salted hash of the payee.
    /// @param cumulative What the final root says the payee has earned since the beginning.
    /// @param proof Siblings from the leaf up to the root.
    function claim(bytes32 payeeId, uint256 cumulative, bytes32[] calldata proof) external nonReentrant {
        if (_pay(payeeId, cumulative, proof) == 0) revert NothingDue(payeeId);
    }

    /// @notice Pay many payees in one transaction. Those with nothing due are passed over, so that a claim that came
    /// first does not stop the others; a wrong proof stops all.
    /// @param claims Payees with their proofs.
    function claimMany(Claim[] calldata claims) external nonReentrant {
        for (uint256 i = 0; i < claims.length; ++i) {
            _pay(claims[i].payeeId, claims[i].cumulative, claims[i].proof);
        }
    }

    /// @notice What each payee has been paid since the beginning.
    /// @param payeeIds Salted hashes.
    /// @return amounts In the same order.
    function claimedOf(bytes32[] calldata payeeIds) external view returns (uint256[] memory amounts) {
        amounts = new uint256[](payeeIds.length);
        for (uint256 i = 0; i < payeeIds.length; ++i) {
            amounts[i] = claimed[payeeIds[i]];
        }
    }

    function _pending(uint256 epoch) private view returns (Root memory pending) {
        if (!isPending) revert NothingPending();
        if (epoch + 1 != nextEpoch) revert WrongEpoch(nextEpoch - 1, epoch);
        pending = pendingRoot;
    }

    function _pay(bytes32 payeeId, uint256 cumulative, bytes32[] calldata proof) private returns (uint256 due) {
        bytes32 leaf =
            keccak256(bytes.concat(keccak256(abi.encode(block.chainid, address(this), payeeId, cumulative))));
        if (!MerkleProof.verifyCalldata(proof, finalRoot.root, leaf)) revert WrongProof(payeeId, cumulative);
        uint256 paid = claimed[payeeId];
        if (cumulative <= paid) return 0;
        due = cumulative - paid;
        uint256 wanted = totalClaimed + due;
        if (wanted > finalRoot.total) revert AboveCeiling(finalRoot.total, wanted);
        address account = accountOf[payeeId];
        if (account == address(0)) revert UnknownPayee(payeeId);
        claimed[payeeId] = cumulative;
        totalClaimed = wanted.toUint128();
        emit Claimed(payeeId, account, due, cumulative);
        token.safeTransfer(account, due);
    }
}
