// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC2981} from "@openzeppelin/contracts/interfaces/IERC2981.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ERC165, IERC165} from "@openzeppelin/contracts/utils/introspection/ERC165.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {PayeeRegistry} from "./PayeeRegistry.sol";
import {ProvenanceRegistry} from "./ProvenanceRegistry.sol";
import {Records} from "./Records.sol";

/// @title Direct payments, split at once along a work's registered sources
/// @notice For a licence fee, a commission or a tip. What a derivative owes its sources follows from their own records and
/// from this contract's rule, which is fixed when it is made:
///
/// - LAP (licensed absolute percentage): every ancestor is due its derivative share of every payment to a descendant.
/// - DECAY: the same, times decay^(depth - 1).
/// - LRP (licensed relative percentage): only direct parents are due; what a parent receives is passed on to its own
///   parents, so that shares multiply along a path.
///
/// An ancestor that is reached by several paths (a diamond) counts once for each path, or once with its largest weight;
/// under LRP money flows along every path, so there it always counts for each. The weights of all ancestors (the stack) are
/// at most the whole. Amounts are shared by largest remainder, ties to the lower index: first among ancestors in the
/// order in which the records lead to them and the work itself last, then among each work's stems. Payees withdraw.
contract RoyaltyPool is ERC165, IERC2981, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;
    using Records for bytes;

    enum Rule {
        LAP,
        DECAY,
        LRP
    }

    /// @param key Of an ancestor.
    /// @param weight What it is due, in parts of 10^8.
    struct Share {
        bytes32 key;
        uint256 weight;
    }

    /// @param payeeId Salted hash of the payee.
    /// @param bps Of what the work itself keeps.
    struct Stem {
        bytes32 payeeId;
        uint256 bps;
    }

    /// @param number The work's number.
    /// @param firstNumber Number of its batch's first work.
    /// @param amount What is paid.
    /// @param record Its packed record, without parents.
    /// @param proof Siblings from its leaf up to the batch's root.
    struct RecordedPayment {
        uint256 number;
        uint256 firstNumber;
        uint256 amount;
        bytes record;
        bytes32[] proof;
    }

    uint256 public constant MAX_ANCESTORS = 64;
    /// @notice Most stems that one payment may reach, so that it always fits a transaction.
    uint256 public constant MAX_STEMS_REACHED = 128;

    IERC20 public immutable token;
    PayeeRegistry public immutable payees;
    ProvenanceRegistry public immutable provenance;
    Rule public immutable rule;
    /// @notice Whether an ancestor counts once for each path to it.
    bool public immutable everyPath;
    /// @notice Factor for each further generation under DECAY, in parts of 10^8.
    uint256 public immutable decay;

    /// @notice What a payee may withdraw.
    mapping(bytes32 payeeId => uint256 amount) public balanceOf;
    /// @notice Sum of all balances.
    uint256 public totalOwed;
    /// @notice Whether a work can be paid.
    mapping(bytes32 key => bool) public isOpen;
    mapping(bytes32 key => Share[] shares) private _ancestors;
    mapping(bytes32 key => Stem[] stems) private _stems;

    event Opened(bytes32 indexed key, uint256 numAncestors, uint256 stack);
    event Paid(bytes32 indexed key, address indexed payer, uint256 amount);
    event Credited(bytes32 indexed key, bytes32 indexed payeeId, uint256 amount);
    event Withdrawn(bytes32 indexed payeeId, address indexed account, uint256 amount);
    event WithdrawalFailed(bytes32 indexed payeeId, address indexed account, uint256 amount);

    error WrongDecay(uint256 decay);
    error OneWayOnly();
    error AlreadyOpen(bytes32 key);
    error NotOpen(bytes32 key);
    error WrongRecord(bytes32 key, bytes32 recordHash);
    error TooManyAncestors(uint256 numAncestors);
    error TooManyStemsReached(uint256 numStems);
    error StackAboveWhole(uint256 stack);
    error NobodyShares(bytes32 key);
    error WrongLengths();
    error NothingPaid();
    error WrongAmount(uint256 expected, uint256 received);
    error NothingDue(bytes32 payeeId);
    error UnknownPayee(bytes32 payeeId);
    error PayeeHeld(bytes32 payeeId);

    /// @param token_ What is paid.
    /// @param payees_ Where payees' money goes.
    /// @param provenance_ Whose records are believed.
    /// @param rule_ How ancestors share.
    /// @param everyPath_ Whether a diamond's ancestor counts once for each path; must be true under LRP.
    /// @param decay_ Factor for each further generation under DECAY, in parts of 10^8; 0 under the other rules.
    constructor(
        IERC20 token_,
        PayeeRegistry payees_,
        ProvenanceRegistry provenance_,
        Rule rule_,
        bool everyPath_,
        uint256 decay_
    ) {
        if (rule_ == Rule.DECAY ? decay_ > Records.SHARE_BASIS : decay_ != 0) revert WrongDecay(decay_);
        if (rule_ == Rule.LRP && !everyPath_) revert OneWayOnly();
        token = token_;
        payees = payees_;
        provenance = provenance_;
        rule = rule_;
        everyPath = everyPath_;
        decay = decay_;
    }

    /// @notice Make a work payable: its parents must be payable already. Anybody may call; the record is checked against the
    /// registry, so that no parent can be left out or invented.
    /// @param key Of a work that the registry has stored.
    /// @param record Its packed record.
    function open(bytes32 key, bytes calldata record) external {
        if (isOpen[key]) revert AlreadyOpen(key);
        bytes32 recordHash = provenance.work(key).recordHash;
        if (recordHash == 0 || recordHash != keccak256(record)) revert WrongRecord(key, recordHash);
        isOpen[key] = true;
        Stem[] memory stems = _stemsIn(record);
        uint256 reached = stems.length;
        for (uint256 i = 0; i < reached; ++i) {
            _stems[key].push(stems[i]);
        }
        Share[] memory found = new Share[](MAX_ANCESTORS);
        uint256 n = 0;
        uint256 parents = record.numParents();
        for (uint256 i = 0; i < parents; ++i) {
            n = _addParent(found, n, record.parent(i));
        }
        uint256 stack = 0;
        for (uint256 i = 0; i < n; ++i) {
            stack += found[i].weight;
            reached += _stems[found[i].key].length;
            _ancestors[key].push(found[i]);
        }
        if (stack > Records.SHARE_BASIS) revert StackAboveWhole(stack);
        if (reached > MAX_STEMS_REACHED) revert TooManyStemsReached(reached);
        emit Opened(key, n, stack);
    }

    /// @notice Pay a work; the amount is credited at once to all who share in it and in its sources.
    /// @param key Of the work.
    /// @param amount What is paid; it must arrive in full.
    function pay(bytes32 key, uint256 amount) external nonReentrant {
        _pull(amount);
        _credit(key, amount);
    }

    /// @notice Pay several works in one transaction.
    /// @param keys Of the works.
    /// @param amounts For each; their sum must arrive in full.
    function payMany(bytes32[] calldata keys, uint256[] calldata amounts) external nonReentrant {
        if (keys.length != amounts.length) revert WrongLengths();
        uint256 sum = 0;
        for (uint256 i = 0; i < amounts.length; ++i) {
            sum += amounts[i];
        }
        _pull(sum);
        for (uint256 i = 0; i < keys.length; ++i) {
            _credit(keys[i], amounts[i]);
        }
    }

    /// @notice Pay works of batches that have no sources, by proof of their records: nothing needs to be stored first.
    /// @param payments For each work; the sum of their amounts must arrive in full.
    function payRecorded(RecordedPayment[] calldata payments) external nonReentrant {
        uint256 sum = 0;
        for (uint256 i = 0; i < payments.length; ++i) {
            sum += payments[i].amount;
        }
        _pull(sum);
        totalOwed += sum;
        for (uint256 i = 0; i < payments.length; ++i) {
            RecordedPayment calldata one = payments[i];
            bytes32 key = bytes32(one.number);
            bytes32 recordHash = keccak256(one.record);
            if (!provenance.isRecorded(one.number, one.firstNumber, recordHash, one.proof)) {
                revert WrongRecord(key, recordHash);
            }
            if (one.record.numParents() != 0) revert NotOpen(key);
            emit Paid(key, msg.sender, one.amount);
            _creditStems(key, _stemsIn(one.record), one.amount);
        }
    }

    /// @notice Pay a payee's balance to the registered account. Anybody may call.
    /// @param payeeId Salted hash of the payee.
    function withdraw(bytes32 payeeId) external nonReentrant {
        uint256 amount = balanceOf[payeeId];
        if (amount == 0) revert NothingDue(payeeId);
        address account = payees.accountOf(payeeId);
        if (account == address(0)) revert UnknownPayee(payeeId);
        if (payees.isHeld(payeeId)) revert PayeeHeld(payeeId);
        balanceOf[payeeId] = 0;
        totalOwed -= amount;
        emit Withdrawn(payeeId, account, amount);
        token.safeTransfer(account, amount);
    }

    /// @notice Pay several payees' balances. Those with none, those who are unknown or held back, and those whose account
    /// cannot receive are passed over and lose nothing; `WithdrawalFailed` names who has a balance and was passed over.
    /// @param payeeIds Salted hashes.
    function withdrawMany(bytes32[] calldata payeeIds) external nonReentrant {
        address[] memory accounts = payees.openAccountsOf(payeeIds);
        for (uint256 i = 0; i < payeeIds.length; ++i) {
            uint256 amount = balanceOf[payeeIds[i]];
            if (amount == 0) continue;
            if (accounts[i] == address(0)) {
                emit WithdrawalFailed(payeeIds[i], address(0), amount);
                continue;
            }
            balanceOf[payeeIds[i]] = 0;
            totalOwed -= amount;
            if (token.trySafeTransfer(accounts[i], amount)) {
                emit Withdrawn(payeeIds[i], accounts[i], amount);
            } else {
                balanceOf[payeeIds[i]] = amount;
                totalOwed += amount;
                emit WithdrawalFailed(payeeIds[i], accounts[i], amount);
            }
        }
    }

    /// @notice What a payment would give to whom.
    /// @param key Of the work.
    /// @param amount What would be paid.
    /// @return keys Ancestors in order, the work itself last.
    /// @return amounts For each of them, before stems; they sum to the amount.
    function preview(bytes32 key, uint256 amount)
        external
        view
        returns (bytes32[] memory keys, uint256[] memory amounts)
    {
        return _split(key, amount);
    }

    /// @notice What several payees may withdraw.
    /// @param payeeIds Salted hashes.
    /// @return amounts In the same order.
    function balancesOf(bytes32[] calldata payeeIds) external view returns (uint256[] memory amounts) {
        amounts = new uint256[](payeeIds.length);
        for (uint256 i = 0; i < payeeIds.length; ++i) {
            amounts[i] = balanceOf[payeeIds[i]];
        }
    }

    /// @notice What a work owes its ancestors, in parts of 10^8.
    function ancestorsOf(bytes32 key) external view returns (Share[] memory) {
        return _ancestors[key];
    }

    /// @notice Who shares in what a work itself keeps.
    function stemsOf(bytes32 key) external view returns (Stem[] memory) {
        return _stems[key];
    }

    /// @notice ERC-2981, information only: a marketplace that knows one receiver is told the work's first stem and the
    /// share that the work asks of derivatives. Ancestors are paid only through `pay`.
    /// @param tokenId Key of the work as a number.
    /// @param salePrice Price, in any unit.
    /// @return receiver Account of the first stem; zero where nobody shares.
    /// @return royaltyAmount Rounded down.
    function royaltyInfo(uint256 tokenId, uint256 salePrice)
        external
        view
        returns (address receiver, uint256 royaltyAmount)
    {
        bytes32 key = bytes32(tokenId);
        if (_stems[key].length == 0) return (address(0), 0);
        receiver = payees.accountOf(_stems[key][0].payeeId);
        royaltyAmount = salePrice * provenance.work(key).derivativeShare / Records.SHARE_BASIS;
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) public view override(ERC165, IERC165) returns (bool) {
        return interfaceId == type(IERC2981).interfaceId || super.supportsInterface(interfaceId);
    }

    function _pull(uint256 amount) private {
        if (amount == 0) revert NothingPaid();
        uint256 balance = token.balanceOf(address(this));
        token.safeTransferFrom(msg.sender, address(this), amount);
        uint256 received = token.balanceOf(address(this)) - balance;
        if (received != amount) revert WrongAmount(amount, received);
    }

    function _credit(bytes32 key, uint256 amount) private {
        (bytes32[] memory keys, uint256[] memory amounts) = _split(key, amount);
        emit Paid(key, msg.sender, amount);
        totalOwed += amount;
        for (uint256 i = 0; i < keys.length; ++i) {
            if (amounts[i] > 0) _creditStems(keys[i], _stems[keys[i]], amounts[i]);
        }
    }

    function _stemsIn(bytes calldata record) private pure returns (Stem[] memory stems) {
        stems = new Stem[](record.numStems());
        for (uint256 i = 0; i < stems.length; ++i) {
            (bytes32 payeeId, uint256 bps) = record.stem(i);
            stems[i] = Stem(payeeId, bps);
        }
    }

    function _creditStems(bytes32 key, Stem[] memory stems, uint256 amount) private {
        if (stems.length == 0) revert NobodyShares(key);
        uint256[] memory weights = new uint256[](stems.length);
        for (uint256 i = 0; i < stems.length; ++i) {
            weights[i] = stems[i].bps;
        }
        uint256[] memory parts = _largestRemainder(amount, weights, Records.STEM_BASIS);
        for (uint256 i = 0; i < stems.length; ++i) {
            if (parts[i] == 0) continue;
            balanceOf[stems[i].payeeId] += parts[i];
            emit Credited(key, stems[i].payeeId, parts[i]);
        }
    }

    function _split(bytes32 key, uint256 amount)
        private
        view
        returns (bytes32[] memory keys, uint256[] memory amounts)
    {
        if (!isOpen[key]) revert NotOpen(key);
        Share[] memory ancestors = _ancestors[key];
        uint256 n = ancestors.length;
        keys = new bytes32[](n + 1);
        uint256[] memory weights = new uint256[](n + 1);
        uint256 own = Records.SHARE_BASIS;
        for (uint256 i = 0; i < n; ++i) {
            keys[i] = ancestors[i].key;
            weights[i] = ancestors[i].weight;
            own -= ancestors[i].weight;
        }
        keys[n] = key;
        weights[n] = own;
        amounts = _largestRemainder(amount, weights, Records.SHARE_BASIS);
    }

    /// @dev Adds what a parent and its ancestors are due from a child to the list; weights of nothing are left out.
    function _addParent(Share[] memory found, uint256 n, bytes32 parent) private view returns (uint256) {
        if (!isOpen[parent]) revert NotOpen(parent);
        uint256 share = provenance.work(parent).derivativeShare;
        Share[] memory above = _ancestors[parent];
        if (rule != Rule.LRP) {
            n = _add(found, n, parent, share);
            for (uint256 i = 0; i < above.length; ++i) {
                uint256 weight = above[i].weight;
                if (rule == Rule.DECAY) weight = weight * decay / Records.SHARE_BASIS;
                n = _add(found, n, above[i].key, weight);
            }
            return n;
        }
        // What the parent is due is shared on between its ancestors and itself, to the last part.
        uint256[] memory weights = new uint256[](above.length + 1);
        weights[0] = Records.SHARE_BASIS;
        for (uint256 i = 0; i < above.length; ++i) {
            weights[i + 1] = above[i].weight;
            weights[0] -= above[i].weight;
        }
        uint256[] memory parts = _largestRemainder(share, weights, Records.SHARE_BASIS);
        n = _add(found, n, parent, parts[0]);
        for (uint256 i = 0; i < above.length; ++i) {
            n = _add(found, n, above[i].key, parts[i + 1]);
        }
        return n;
    }

    function _add(Share[] memory found, uint256 n, bytes32 key, uint256 weight) private view returns (uint256) {
        if (weight == 0) return n;
        uint256 i = _find(found, n, key);
        if (i == n) {
            if (n == MAX_ANCESTORS) revert TooManyAncestors(n + 1);
            found[n] = Share(key, weight);
            return n + 1;
        }
        if (everyPath) found[i].weight += weight;
        else if (weight > found[i].weight) found[i].weight = weight;
        return n;
    }

    /// @dev Parts that sum to the amount; weights sum to the basis. What rounding down leaves goes, one each, to the
    /// largest remainders, ties to the lower index.
    function _largestRemainder(uint256 amount, uint256[] memory weights, uint256 basis)
        private
        pure
        returns (uint256[] memory parts)
    {
        parts = new uint256[](weights.length);
        uint256[] memory remainders = new uint256[](weights.length);
        uint256 left = amount;
        for (uint256 i = 0; i < weights.length; ++i) {
            parts[i] = amount * weights[i] / basis;
            remainders[i] = mulmod(amount, weights[i], basis);
            left -= parts[i];
        }
        for (; left > 0; --left) {
            uint256 best = _largest(remainders);
            remainders[best] = 0;
            ++parts[best];
        }
    }

    /// @dev First index of the largest value. Like `_find` it stands in the innermost loop of `open`, which by Solidity's own
    /// checked indexing would not fit a transaction for the largest works.
    function _largest(uint256[] memory values) private pure returns (uint256 index) {
        assembly ("memory-safe") {
            let start := add(values, 32)
            let end := add(start, shl(5, mload(values)))
            let most := 0
            let where := start
            for { let at := start } lt(at, end) { at := add(at, 32) } {
                let value := mload(at)
                if gt(value, most) {
                    most := value
                    where := at
                }
            }
            index := shr(5, sub(where, start))
        }
    }

    /// @dev Index of the share with a key among the first `n`, or `n`.
    function _find(Share[] memory found, uint256 n, bytes32 key) private pure returns (uint256 index) {
        assembly ("memory-safe") {
            let start := add(found, 32)
            let end := add(start, shl(5, n))
            let at := start
            // An array of structs holds pointers; a share's first word is its key.
            for {} lt(at, end) { at := add(at, 32) } {
                if eq(mload(mload(at)), key) { break }
            }
            index := shr(5, sub(at, start))
        }
    }
}
