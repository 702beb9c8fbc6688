// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {PayeeRegistry} from "./PayeeRegistry.sol";
import {ProvenanceRegistry} from "./ProvenanceRegistry.sol";

/// @title Royalties of streams, epoch by epoch, by cumulative Merkle root
/// @notice Once an epoch the poster commits to what every payee has earned since the beginning and pays the epoch's pool
/// in, in one transaction. After a challenge window the root becomes final and anybody may claim for any payee; the money
/// goes to the payee's registered account. Posting costs the same for any number of payees, a missed claim loses nothing,
/// and claiming twice pays nothing.
///
/// A leaf is keccak256(keccak256(abi.encode(chainId, this, payeeId, cumulative))): bound to chain and contract, hashed
/// twice so that no inner node passes for a leaf. Trees are complete binary trees with pairs hashed in sorted order.
///
/// Powers: the poster posts and pays; the guardian may drop a pending root within its window, which moves no money; nobody
/// can stop a final root, pause claims or choose where money goes. If nothing becomes final for `silence` seconds, anybody
/// may wind the contract up, and what was paid in beyond the last final root is shared along it.
contract EpochDistributor is AccessControl, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;
    using SafeCast for uint256;

    bytes32 public constant POSTER_ROLE = keccak256("POSTER_ROLE");
    bytes32 public constant GUARDIAN_ROLE = keccak256("GUARDIAN_ROLE");
    /// @notice Epochs that may wait for their windows at once.
    uint256 public constant MAX_PENDING = 7;
    /// @dev Slots are written over in turn, which costs a quarter of a fresh one; the final root is never among them.
    uint256 private constant RING = MAX_PENDING + 1;

    /// @param root Merkle root over (payee, cumulative amount).
    /// @param total Sum of all leaves: the ceiling of what may ever be claimed under this root.
    /// @param postedAt When it was posted, in seconds.
    struct Root {
        bytes32 root;
        uint128 total;
        uint64 postedAt;
    }

    /// @param next The only epoch that can be posted next.
    /// @param numFinal How many epochs are final; those from here to `next` are pending.
    /// @param lastFinalAt When the last one became final (at first: when the contract was made), in seconds.
    /// @param isWoundUp Whether posting has ended for good.
    struct State {
        uint64 next;
        uint64 numFinal;
        uint64 lastFinalAt;
        bool isWoundUp;
    }

    /// @param funded Sum of all payments in, as measured.
    /// @param claimed Sum of all claims paid.
    struct Books {
        uint128 funded;
        uint128 claimed;
    }

    /// @param payeeId Salted hash of the payee.
    /// @param cumulative What the final root says the payee has earned since the beginning.
    /// @param proof Siblings from the leaf up to the root.
    struct Claim {
        bytes32 payeeId;
        uint256 cumulative;
        bytes32[] proof;
    }

    /// @param cumulative Up to which amount the notice goes.
    /// @param dueAt First second at which it may be carried out, unless the payee's money is held back meanwhile.
    struct Notice {
        uint128 cumulative;
        uint64 dueAt;
    }

    IERC20 public immutable token;
    PayeeRegistry public immutable payees;
    ProvenanceRegistry public immutable provenance;
    /// @notice Seconds between posting and the earliest finalisation; the guardian's time to dispute.
    uint64 public immutable challengeWindow;
    /// @notice Seconds without a new final root after which anybody may wind up.
    uint64 public immutable silence;
    /// @notice Seconds between notice that money lies unclaimed and its going to the payee's community.
    uint64 public immutable noticePeriod;

    State public state;
    Books public books;
    /// @notice What was shared out at winding up.
    uint128 public escapePot;
    /// @notice How much of it has been paid.
    uint128 public escaped;
    /// @notice What a payee has been paid since the beginning, the share of a winding up not counted.
    mapping(bytes32 payeeId => uint256 amount) public claimed;
    /// @notice Whether a payee has had the share of a winding up.
    mapping(bytes32 payeeId => bool done) public hasEscaped;
    /// @notice Open notices.
    mapping(bytes32 payeeId => Notice notice) public noticeOf;
    /// @notice Who paid in what while no final root owed anybody anything.
    mapping(address funder => uint256 amount) public fundedBy;
    Root[RING] private _roots;

    event Funded(address indexed funder, uint256 amount);
    event Posted(
        uint256 indexed epoch, bytes32 root, uint256 total, uint256 deposit, bytes32 provenanceHead, bytes32 dataHash
    );
    event Finalized(uint256 indexed epoch, uint256 total);
    event Disputed(uint256 indexed epoch, bytes32 root, uint256 numDropped);
    event Claimed(bytes32 indexed payeeId, address indexed account, uint256 amount);
    event ClaimFailed(bytes32 indexed payeeId, address indexed account, uint256 amount);
    event NoticeGiven(bytes32 indexed payeeId, uint256 cumulative, uint256 dueAt);
    event Expired(bytes32 indexed payeeId, address indexed fund, uint256 amount);
    event WoundUp(uint256 numFinal, uint256 pot);
    event Escaped(bytes32 indexed payeeId, address indexed account, uint256 amount);
    event TakenBack(address indexed funder, uint256 amount);

    error SameKey(address account);
    error SilenceTooShort(uint256 silence, uint256 window);
    error IsWoundUp();
    error NotWoundUp();
    error NotSilent(uint256 until);
    error WrongEpoch(uint256 expected, uint256 given);
    error TooManyPending(uint256 numPending);
    error NothingPending();
    error NotPending(uint256 epoch);
    error NothingFinal();
    error TotalFell(uint256 before, uint256 given);
    error WrongDeposit(uint256 expected, uint256 received);
    error WrongProvenanceHead(bytes32 expected, bytes32 given);
    error WindowOpen(uint256 until);
    error WindowOver(uint256 since);
    error WrongLengths();
    error WrongProof();
    error UnknownPayee(bytes32 payeeId);
    error PayeeHeld(bytes32 payeeId);
    error NothingDue(bytes32 payeeId);
    error AboveCeiling(uint256 ceiling, uint256 wanted);
    error NoticeOpen(uint256 dueAt);
    error NoNotice(bytes32 payeeId);
    error NoFund(bytes32 payeeId);

    /// @param token_ What is paid out.
    /// @param payees_ Where payees' money goes.
    /// @param provenance_ Its head is bound into every posted epoch.
    /// @param roles Admin (grants and revokes roles), poster and guardian: three different accounts.
    /// @param challengeWindow_ Seconds between posting and the earliest finalisation.
    /// @param silence_ Seconds without a new final root after which anybody may wind up; longer than the window.
    /// @param noticePeriod_ Seconds of notice before unclaimed money goes to the payee's community.
    constructor(
        IERC20 token_,
        PayeeRegistry payees_,
        ProvenanceRegistry provenance_,
        address[3] memory roles,
        uint64 challengeWindow_,
        uint64 silence_,
        uint64 noticePeriod_
    ) {
        if (roles[0] == roles[1] || roles[0] == roles[2]) revert SameKey(roles[0]);
        if (roles[1] == roles[2]) revert SameKey(roles[1]);
        if (silence_ <= challengeWindow_) revert SilenceTooShort(silence_, challengeWindow_);
        token = token_;
        payees = payees_;
        provenance = provenance_;
        challengeWindow = challengeWindow_;
        silence = silence_;
        noticePeriod = noticePeriod_;
        state.lastFinalAt = uint64(block.timestamp);
        _grantRole(DEFAULT_ADMIN_ROLE, roles[0]);
        _grantRole(POSTER_ROLE, roles[1]);
        _grantRole(GUARDIAN_ROLE, roles[2]);
    }

    // ---- money in, roots -------------------------------------------------------------------------------------------

    /// @notice Pay in ahead of a posting. What counts is what arrives. Anybody may call.
    /// @param amount What the token is asked to move.
    function fund(uint256 amount) external nonReentrant {
        State memory s = state;
        if (s.isWoundUp) revert IsWoundUp();
        uint256 received = _pull(amount, s.numFinal);
        uint256 funded = books.funded;
        books.funded = (funded + received).toUint128();
        emit Funded(msg.sender, received);
    }

    /// @notice Commit to the next epoch and pay in what its total lacks.
    /// @param epoch Must be the next one.
    /// @param root Merkle root over cumulative amounts.
    /// @param total Sum of all leaves, no less than the last posted one. What it exceeds the payments so far by is pulled
    /// from the sender and must arrive in full: the balance is measured before and after.
    /// @param provenanceHead Must be the registry's head, so that the epoch names the graph it was settled on.
    /// @param dataHash Hash of the published statement from which anybody can rebuild the root.
    function post(uint256 epoch, bytes32 root, uint256 total, bytes32 provenanceHead, bytes32 dataHash)
        external
        onlyRole(POSTER_ROLE)
        nonReentrant
    {
        State memory s = state;
        if (s.isWoundUp) revert IsWoundUp();
        if (epoch != s.next) revert WrongEpoch(s.next, epoch);
        if (s.next - s.numFinal >= MAX_PENDING) revert TooManyPending(MAX_PENDING);
        uint256 before = _totalOf(s.next);
        if (total < before) revert TotalFell(before, total);
        bytes32 head = provenance.head();
        if (provenanceHead != head) revert WrongProvenanceHead(head, provenanceHead);
        _roots[epoch % RING] = Root(root, total.toUint128(), uint64(block.timestamp));
        state.next = s.next + 1;
        uint256 funded = books.funded;
        uint256 deposit = total > funded ? total - funded : 0;
        emit Posted(epoch, root, total, deposit, provenanceHead, dataHash);
        if (deposit > 0) {
            uint256 received = _pull(deposit, s.numFinal);
            if (received < deposit) revert WrongDeposit(deposit, received);
            books.funded = (funded + received).toUint128();
        }
    }

    /// @notice Make the oldest pending root final once its window has passed. Anybody may call.
    /// @param epoch The oldest pending epoch.
    function finalize(uint256 epoch) external {
        State memory s = state;
        if (s.next == s.numFinal) revert NothingPending();
        if (epoch != s.numFinal) revert WrongEpoch(s.numFinal, epoch);
        // The root itself is not read: a slot costs as much as everything else here beside the transaction and the state.
        Root storage pending = _roots[epoch % RING];
        (uint256 total, uint256 until) = (pending.total, uint256(pending.postedAt) + challengeWindow);
        if (block.timestamp < until) revert WindowOpen(until);
        state = State(s.next, s.numFinal + 1, uint64(block.timestamp), false);
        emit Finalized(epoch, total);
    }

    /// @notice Drop a pending root within its window, and those posted on top of it. No money moves: what was paid in for
    /// them stays and counts towards the next posting.
    /// @param epoch The epoch; it is the next to be posted afterwards.
    function dispute(uint256 epoch) external onlyRole(GUARDIAN_ROLE) {
        State memory s = state;
        if (epoch < s.numFinal || epoch >= s.next) revert NotPending(epoch);
        Root memory pending = _roots[epoch % RING];
        uint256 until = uint256(pending.postedAt) + challengeWindow;
        if (block.timestamp >= until) revert WindowOver(until);
        state.next = uint64(epoch);
        emit Disputed(epoch, pending.root, s.next - epoch);
    }

    // ---- claims ----------------------------------------------------------------------------------------------------

    /// @notice Pay one payee what is due. Anybody may call; the money goes to the registered account.
    /// @param payeeId Salted hash of the payee.
    /// @param cumulative What the final root says the payee has earned since the beginning.
    /// @param proof Siblings from the leaf up to the root.
    function claim(bytes32 payeeId, uint256 cumulative, bytes32[] calldata proof) external nonReentrant {
        Root memory last = _provenFinal(payeeId, cumulative, proof);
        uint256 due = _take(payeeId, cumulative);
        if (due == 0) revert NothingDue(payeeId);
        _book(due, last.total);
        address account = _accountOf(payeeId);
        emit Claimed(payeeId, account, due);
        token.safeTransfer(account, due);
    }

    /// @notice Pay many payees in one transaction. Those with nothing due are passed over, so that a claim that came first
    /// does not stop the others, and so are those whose account cannot receive and those whose money is held back: they
    /// lose nothing. A wrong proof, or a payee who is not registered, stops all.
    /// @param claims Payees with their proofs.
    function claimMany(Claim[] calldata claims) external nonReentrant {
        Root memory last = finalRoot();
        bytes32[] memory ids = new bytes32[](claims.length);
        uint256[] memory due = new uint256[](claims.length);
        for (uint256 i = 0; i < claims.length; ++i) {
            Claim calldata one = claims[i];
            if (!MerkleProof.verifyCalldata(one.proof, last.root, _leaf(one.payeeId, one.cumulative))) {
                revert WrongProof();
            }
            ids[i] = one.payeeId;
            due[i] = _take(one.payeeId, one.cumulative);
        }
        _payAll(ids, due, last.total);
    }

    /// @notice Pay many payees in one transaction by one proof for all of them: the cheapest way for neighbours in the tree.
    /// Who is passed over and what stops all is as with `claimMany`.
    /// @param payeeIds Salted hashes, in the order in which the proof consumes leaves.
    /// @param cumulative What the final root says each has earned since the beginning.
    /// @param proof Nodes that do not follow from the leaves.
    /// @param flags Whether each step's second node comes from the leaves and nodes so far, or from the proof.
    function claimMulti(
        bytes32[] calldata payeeIds,
        uint256[] calldata cumulative,
        bytes32[] calldata proof,
        bool[] calldata flags
    ) external nonReentrant {
        uint256 n = payeeIds.length;
        if (n == 0 || n != cumulative.length) revert WrongLengths();
        Root memory last = finalRoot();
        bytes32[] memory leaves = new bytes32[](n);
        for (uint256 i = 0; i < n; ++i) {
            leaves[i] = _leaf(payeeIds[i], cumulative[i]);
        }
        if (!MerkleProof.multiProofVerifyCalldata(proof, flags, last.root, leaves)) revert WrongProof();
        uint256[] memory due = new uint256[](n);
        for (uint256 i = 0; i < n; ++i) {
            due[i] = _take(payeeIds[i], cumulative[i]);
        }
        _payAll(payeeIds, due, last.total);
    }

    // ---- unclaimed money -------------------------------------------------------------------------------------------

    /// @notice Put on record that money lies unclaimed. Anybody may call; the payee, or anybody for the payee, can still
    /// claim all of it until the notice is carried out. While the payee's money is held back nobody can, so the period begins
    /// anew when that ends.
    /// @param payeeId Salted hash of the payee, who belongs to a community with a fund and is not that fund.
    /// @param cumulative What the final root says the payee has earned since the beginning.
    /// @param proof Siblings from the leaf up to the root.
    function giveNotice(bytes32 payeeId, uint256 cumulative, bytes32[] calldata proof) external {
        _provenFinal(payeeId, cumulative, proof);
        if (cumulative <= claimed[payeeId]) revert NothingDue(payeeId);
        _fundOf(payeeId);
        Notice memory open = noticeOf[payeeId];
        // A notice that still stands is not replaced: otherwise a new one could put expiry off for ever.
        if (open.dueAt != 0 && open.cumulative > claimed[payeeId]) revert NoticeOpen(open.dueAt);
        uint256 dueAt = block.timestamp + noticePeriod;
        noticeOf[payeeId] = Notice(cumulative.toUint128(), dueAt.toUint64());
        emit NoticeGiven(payeeId, cumulative, dueAt);
    }

    /// @notice Pay what is still unclaimed of what notice was given for to the fund of the payee's community.
    /// @param payeeId Salted hash of the payee.
    function expire(bytes32 payeeId) external nonReentrant {
        Notice memory open = noticeOf[payeeId];
        if (open.dueAt == 0) revert NoNotice(payeeId);
        // Nobody could claim for a payee who was held back: the whole period is given after it.
        uint256 dueAt = Math.max(open.dueAt, payees.openSince(payeeId) + noticePeriod);
        if (block.timestamp < dueAt) revert NoticeOpen(dueAt);
        if (payees.isHeld(payeeId)) revert PayeeHeld(payeeId);
        delete noticeOf[payeeId];
        uint256 due = _take(payeeId, open.cumulative);
        if (due == 0) revert NothingDue(payeeId);
        _book(due, finalRoot().total);
        address account = _accountOf(_fundOf(payeeId));
        emit Expired(payeeId, account, due);
        token.safeTransfer(account, due);
    }

    // ---- when the poster is silent ---------------------------------------------------------------------------------

    /// @notice End posting for good when nothing has become final for `silence` seconds, whether the poster is silent or
    /// the guardian drops everything. Pending roots are dropped; what was paid in beyond the final total becomes the pot.
    /// Anybody may call.
    function windUp() external nonReentrant {
        State memory s = state;
        if (s.isWoundUp) revert IsWoundUp();
        uint256 until = uint256(s.lastFinalAt) + silence;
        if (block.timestamp < until) revert NotSilent(until);
        if (s.next > s.numFinal) {
            uint256 over = uint256(_roots[s.numFinal % RING].postedAt) + challengeWindow;
            if (block.timestamp >= over) revert NotSilent(over);
        }
        uint256 pot = books.funded - _totalOf(s.numFinal);
        escapePot = pot.toUint128();
        state = State(s.numFinal, s.numFinal, s.lastFinalAt, true);
        emit WoundUp(s.numFinal, pot);
    }

    /// @notice Pay a payee the share of the pot that the final root gives: pot x cumulative / total, rounded down.
    /// @param payeeId Salted hash of the payee.
    /// @param cumulative What the final root says the payee has earned since the beginning.
    /// @param proof Siblings from the leaf up to the root.
    function claimEscape(bytes32 payeeId, uint256 cumulative, bytes32[] calldata proof) external nonReentrant {
        if (!state.isWoundUp) revert NotWoundUp();
        Root memory last = _provenFinal(payeeId, cumulative, proof);
        uint256 amount = last.total == 0 ? 0 : uint256(escapePot) * cumulative / last.total;
        if (amount == 0 || hasEscaped[payeeId]) revert NothingDue(payeeId);
        // As with claims: leaves that sum to more than the total share no more than the pot.
        uint256 wanted = escaped + amount;
        if (wanted > escapePot) revert AboveCeiling(escapePot, wanted);
        hasEscaped[payeeId] = true;
        escaped = uint128(wanted);
        address account = _accountOf(payeeId);
        emit Escaped(payeeId, account, amount);
        token.safeTransfer(account, amount);
    }

    /// @notice Take back what the sender paid in, where the contract was wound up before a final root owed anybody a thing.
    function takeBack() external nonReentrant {
        State memory s = state;
        if (!s.isWoundUp) revert NotWoundUp();
        uint256 amount = fundedBy[msg.sender];
        if (_totalOf(s.numFinal) > 0 || amount == 0) revert NothingDue(bytes32(0));
        fundedBy[msg.sender] = 0;
        emit TakenBack(msg.sender, amount);
        token.safeTransfer(msg.sender, amount);
    }

    // ---- what stands here ------------------------------------------------------------------------------------------

    /// @notice The root under which claims are paid.
    function finalRoot() public view returns (Root memory) {
        uint64 numFinal = state.numFinal;
        if (numFinal == 0) revert NothingFinal();
        return _roots[(numFinal - 1) % RING];
    }

    /// @notice The root of a pending epoch.
    function pendingRoot(uint256 epoch) external view returns (Root memory) {
        State memory s = state;
        if (epoch < s.numFinal || epoch >= s.next) revert NotPending(epoch);
        return _roots[epoch % RING];
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

    // ---- inside ----------------------------------------------------------------------------------------------------

    function _leaf(bytes32 payeeId, uint256 cumulative) private view returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(block.chainid, address(this), payeeId, cumulative))));
    }

    function _provenFinal(bytes32 payeeId, uint256 cumulative, bytes32[] calldata proof)
        private
        view
        returns (Root memory last)
    {
        last = finalRoot();
        if (!MerkleProof.verifyCalldata(proof, last.root, _leaf(payeeId, cumulative))) revert WrongProof();
    }

    function _accountOf(bytes32 payeeId) private view returns (address account) {
        account = payees.accountOf(payeeId);
        if (account == address(0)) revert UnknownPayee(payeeId);
        if (payees.isHeld(payeeId)) revert PayeeHeld(payeeId);
    }

    function _fundOf(bytes32 payeeId) private view returns (bytes32 fundId) {
        fundId = payees.fundOf(payees.communityOf(payeeId));
        if (fundId == 0 || fundId == payeeId) revert NoFund(payeeId);
    }

    /// @dev Total of the newest of the first `numEpochs` epochs.
    function _totalOf(uint256 numEpochs) private view returns (uint256) {
        return numEpochs == 0 ? 0 : _roots[(numEpochs - 1) % RING].total;
    }

    function _pull(uint256 amount, uint256 numFinal) private returns (uint256 received) {
        uint256 balance = token.balanceOf(address(this));
        token.safeTransferFrom(msg.sender, address(this), amount);
        received = token.balanceOf(address(this)) - balance;
        if (_totalOf(numFinal) == 0) fundedBy[msg.sender] += received;
    }

    /// @dev Marks everything up to `cumulative` as paid and returns what was not before.
    function _take(bytes32 payeeId, uint256 cumulative) private returns (uint256 due) {
        uint256 paid = claimed[payeeId];
        if (cumulative <= paid) return 0;
        claimed[payeeId] = cumulative;
        return cumulative - paid;
    }

    /// @dev Even a final root whose leaves sum to more than its total pays no more than the total.
    function _book(uint256 amount, uint256 ceiling) private {
        uint256 wanted = books.claimed + amount;
        if (wanted > ceiling) revert AboveCeiling(ceiling, wanted);
        books.claimed = uint128(wanted);
    }

    /// @dev All books are written before the first transfer; those that fail are taken out of them again.
    function _payAll(bytes32[] memory ids, uint256[] memory due, uint256 ceiling) private {
        uint256 sum = 0;
        for (uint256 i = 0; i < due.length; ++i) {
            sum += due[i];
        }
        _book(sum, ceiling);
        address[] memory accounts = payees.openAccountsOf(ids);
        uint256 failed = 0;
        for (uint256 i = 0; i < ids.length; ++i) {
            uint256 amount = due[i];
            if (amount == 0) continue;
            if (accounts[i] != address(0) && token.trySafeTransfer(accounts[i], amount)) {
                emit Claimed(ids[i], accounts[i], amount);
            } else {
                if (payees.accountOf(ids[i]) == address(0)) revert UnknownPayee(ids[i]);
                claimed[ids[i]] -= amount;
                failed += amount;
                emit ClaimFailed(ids[i], accounts[i], amount);
            }
        }
        if (failed > 0) books.claimed -= uint128(failed);
    }
}
