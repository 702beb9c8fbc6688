// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";
import {PayeeRegistry} from "./PayeeRegistry.sol";
import {Records} from "./Records.sol";

/// @title What derives from what, and what communities permit at every moment
/// @notice A work may only name parents that are there already, so the graph of derivations has no cycle. Works come in
/// two ways. The registrar enters batches: the records stand in calldata, works are numbered, and only the batch's Merkle
/// root is stored; anybody can `open` a work of a batch later by proof. Anybody else enters a single work: by commitment
/// and reveal, so that a registration seen in the mempool cannot be taken over, or by a signature that the registrar
/// brings. Nobody registers in another's name, and only a community's own payees, or the registrar, add to its tradition.
/// `head` is a fold over all that the registrar brings, in order; what others reveal is folded apart, so that nobody can
/// make a batch or an epoch stale by revealing something just before it.
///
/// A work's key is its number (batches), or keccak256(abi.encode(chainId, this, content, owner, salt)) (single works).
///
/// Consent is a label with a history: what a work carries, narrowed by what its community permits at the moment. Labels are
/// signed by the community's members; a withdrawal is a label with fewer uses. `consentAt` answers for any past moment.
contract ProvenanceRegistry is AccessControl, EIP712 {
    using Checkpoints for Checkpoints.Trace208;
    using Records for bytes;

    bytes32 public constant REGISTRAR_ROLE = keccak256("REGISTRAR_ROLE");
    bytes32 public constant REGISTRATION_TYPEHASH =
        keccak256("Registration(bytes32 recordHash,address owner,bytes32 salt,uint256 deadline)");
    bytes32 public constant CONSENT_TYPEHASH = keccak256(
        "Consent(uint32 community,bytes32 key,uint8 uses,uint48 expiresAt,uint256 nonce,uint256 deadline)"
    );
    /// @notice Seconds that a commitment must have stood before it is revealed, and after which it lapses.
    uint256 public constant MIN_COMMIT_S = 60;
    uint256 public constant MAX_COMMIT_S = 1 days;
    bytes32 private constant ALL_WORKS = bytes32(type(uint256).max);

    /// @param recordHash keccak256 of the packed record.
    /// @param community Community whose tradition it belongs to.
    /// @param derivativeShare What every derivative owes it, in parts of 10^8.
    /// @param uses What the work itself carries.
    /// @param openedAt When it was stored, in seconds.
    struct Work {
        bytes32 recordHash;
        uint32 community;
        uint32 derivativeShare;
        uint8 uses;
        uint48 openedAt;
    }

    PayeeRegistry public immutable payees;
    /// @notice Fold of all batches and signed registrations so far; starts as the hash of chain id and this address.
    bytes32 public head;
    /// @notice Fold of all revealed works so far; starts like `head`.
    bytes32 public revealedHead;
    /// @notice How many works came in batches; the next one gets this number.
    uint256 public numWorks;
    /// @notice Root of the batch that begins with a number.
    mapping(uint256 firstNumber => bytes32 root) public batchRoot;
    /// @notice When a commitment was made, in seconds.
    mapping(bytes32 commitment => uint256 time) public committedAt;
    /// @notice Labels signed so far, per community: the nonce of the next one.
    mapping(uint32 community => uint256 nonce) public nonceOf;
    mapping(bytes32 key => Work stored) private _works;
    /// @dev Key of the first stored work with a content, plus one: the work with number 0 is not "none".
    mapping(bytes32 content => uint256 keyPlusOne) private _firstWith;
    mapping(uint32 community => mapping(bytes32 key => Checkpoints.Trace208 labels)) private _labels;

    event BatchRegistered(uint256 indexed firstNumber, uint256 numRecords, bytes32 root, bytes32 head);
    event WorkRegistered(bytes32 indexed key, address indexed owner, bytes record, bytes32 head);
    event WorkOpened(bytes32 indexed key, bytes32 recordHash);
    event Committed(bytes32 indexed commitment);
    event ConsentSet(uint32 indexed community, bytes32 indexed key, uint8 uses, uint48 expiresAt);

    error StaleHead(bytes32 expected, bytes32 given);
    error EmptyBatch();
    error UnknownParent(bytes32 parent);
    error ParentNotOpen(bytes32 parent);
    error NoConsent(bytes32 parent, uint8 uses);
    error WorkExists(bytes32 key);
    error ContentTaken(bytes32 content, bytes32 key);
    error AlreadyCommitted(bytes32 commitment);
    error NotCommitted(bytes32 commitment);
    error NotOfCommunity(address owner, uint32 community);
    error CommitmentNotReady(uint256 from);
    error CommitmentLapsed(uint256 until);
    error SignatureExpired(uint256 deadline);
    error WrongSignature(bytes32 digest);
    error WrongRecordLength(uint256 expected, uint256 given);
    error WrongProof(uint256 number);
    error UnknownUses(uint8 uses);

    /// @param admin Grants and revokes roles.
    /// @param registrar Enters batches and brings signed registrations.
    /// @param payees_ Knows the communities' members.
    constructor(address admin, address registrar, PayeeRegistry payees_) EIP712("heritage ProvenanceRegistry", "1") {
        payees = payees_;
        head = keccak256(abi.encode(block.chainid, address(this)));
        revealedHead = head;
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
        _grantRole(REGISTRAR_ROLE, registrar);
    }

    /// @notice Register a batch of works, parents before children.
    /// @param previousHead The `head` the sender builds on; a batch built on another one is refused.
    /// @param records Packed records, one after the other.
    /// @return newHead keccak256(abi.encode(previousHead, firstNumber, numRecords, root)).
    function registerBatch(bytes32 previousHead, bytes calldata records)
        external
        onlyRole(REGISTRAR_ROLE)
        returns (bytes32 newHead)
    {
        if (previousHead != head) revert StaleHead(head, previousHead);
        if (records.length == 0) revert EmptyBatch();
        uint256 first = numWorks;
        bytes32[] memory leaves = new bytes32[](records.length / Records.FIXED_BYTES + 1);
        uint256 count = 0;
        for (uint256 offset = 0; offset < records.length; ++count) {
            bytes calldata rest = records[offset:];
            bytes calldata record = rest[:rest.size()];
            record.check();
            _requireParents(record, first + count);
            leaves[count] = Records.leaf(first + count, keccak256(record));
            offset += record.length;
        }
        bytes32 root = Records.rootOf(leaves, count);
        newHead = keccak256(abi.encode(previousHead, first, count, root));
        batchRoot[first] = root;
        head = newHead;
        numWorks = first + count;
        emit BatchRegistered(first, count, root, newHead);
    }

    /// @notice Store a work of a batch, so that its terms can be used on the chain. Anybody may call. From then on nobody
    /// registers its content as a work of their own; one who did so before keeps that registration.
    /// @param number The work's number.
    /// @param firstNumber Number of its batch's first work.
    /// @param record Its packed record.
    /// @param proof Siblings from its leaf up to the batch's root.
    function open(uint256 number, uint256 firstNumber, bytes calldata record, bytes32[] calldata proof) external {
        bytes32 key = bytes32(number);
        if (_works[key].recordHash != 0) revert WorkExists(key);
        bytes32 recordHash = keccak256(record);
        if (!isRecorded(number, firstNumber, recordHash, proof)) revert WrongProof(number);
        bytes32 content = record.content();
        if (_firstWith[content] == 0) _firstWith[content] = number + 1;
        _store(key, record, recordHash);
        emit WorkOpened(key, recordHash);
    }

    /// @notice Announce a registration without showing it.
    /// @param commitment keccak256(abi.encode(owner, salt, keccak256(record))).
    function commit(bytes32 commitment) external {
        uint256 before = committedAt[commitment];
        if (before != 0 && block.timestamp <= before + MAX_COMMIT_S) revert AlreadyCommitted(commitment);
        committedAt[commitment] = block.timestamp;
        emit Committed(commitment);
    }

    /// @notice Register the work that was announced, as its owner. A work of a community's tradition must name the owner
    /// among its stems, as a payee of that community: an outsider who claims the tradition would need no consent for use
    /// outside it.
    /// @param record Packed record.
    /// @param salt Chosen by the owner.
    /// @return key Of the work.
    function reveal(bytes calldata record, bytes32 salt) external returns (bytes32 key) {
        bytes32 commitment = keccak256(abi.encode(msg.sender, salt, keccak256(record)));
        uint256 since = committedAt[commitment];
        if (since == 0) revert NotCommitted(commitment);
        if (block.timestamp < since + MIN_COMMIT_S) revert CommitmentNotReady(since + MIN_COMMIT_S);
        if (block.timestamp > since + MAX_COMMIT_S) revert CommitmentLapsed(since + MAX_COMMIT_S);
        delete committedAt[commitment];
        (key, revealedHead) = _register(record, msg.sender, salt, revealedHead);
        _requireMembership(record, msg.sender);
    }

    /// @notice Register a work that its owner signed for; the registrar brings it, so that nobody can run ahead with a copy,
    /// and answers for the community that the record names.
    /// @param record Packed record.
    /// @param owner Who registers.
    /// @param salt Chosen by the owner.
    /// @param deadline Last second at which the signature counts.
    /// @param signature The owner's over `Registration` (EIP-712, ERC-1271 for contracts).
    /// @return key Of the work.
    function registerSigned(
        bytes calldata record,
        address owner,
        bytes32 salt,
        uint256 deadline,
        bytes calldata signature
    ) external onlyRole(REGISTRAR_ROLE) returns (bytes32 key) {
        if (block.timestamp > deadline) revert SignatureExpired(deadline);
        bytes32 digest = _hashTypedDataV4(
            keccak256(abi.encode(REGISTRATION_TYPEHASH, keccak256(record), owner, salt, deadline))
        );
        if (!SignatureChecker.isValidSignatureNowCalldata(owner, digest, signature)) revert WrongSignature(digest);
        (key, head) = _register(record, owner, salt, head);
    }

    /// @notice Say what a community permits from now on. Anybody may bring it; the community's members sign.
    /// @param community Number.
    /// @param key Of the work, or 2^256 - 1 for all works of the community.
    /// @param uses Flags of what is permitted; 0 withdraws everything.
    /// @param expiresAt First second at which nothing is permitted any more; 0 for never.
    /// @param deadline Last second at which the signatures count.
    /// @param signatures One for each member in order over `Consent`; empty where a member did not sign.
    function setConsent(
        uint32 community,
        bytes32 key,
        uint8 uses,
        uint48 expiresAt,
        uint256 deadline,
        bytes[] calldata signatures
    ) external {
        if (block.timestamp > deadline) revert SignatureExpired(deadline);
        if (uses > Records.ALL_USES) revert UnknownUses(uses);
        bytes32 digest = _hashTypedDataV4(
            keccak256(abi.encode(CONSENT_TYPEHASH, community, key, uses, expiresAt, nonceOf[community]++, deadline))
        );
        payees.requireApproved(community, digest, signatures);
        _labels[community][key].push(uint48(block.timestamp), uint208(uses) | (uint208(expiresAt) << 8) | (1 << 56));
        emit ConsentSet(community, key, uses, expiresAt);
    }

    /// @notice Whether a batch holds a record under a number.
    /// @param number The work's number.
    /// @param firstNumber Number of its batch's first work.
    /// @param recordHash keccak256 of its packed record.
    /// @param proof Siblings from its leaf up to the batch's root.
    function isRecorded(uint256 number, uint256 firstNumber, bytes32 recordHash, bytes32[] calldata proof)
        public
        view
        returns (bool)
    {
        bytes32 root = batchRoot[firstNumber];
        return root != 0 && MerkleProof.verifyCalldata(proof, root, Records.leaf(number, recordHash));
    }

    /// @notice What is stored of a work: of single works, and of works of batches once they are opened; else zeros.
    function work(bytes32 key) external view returns (Work memory) {
        return _works[key];
    }

    /// @notice First stored work with a content, if there is one: a single work that copies it is refused.
    function keyOfContent(bytes32 content) external view returns (bool isTaken, bytes32 key) {
        uint256 taken = _firstWith[content];
        return taken == 0 ? (false, bytes32(0)) : (true, bytes32(taken - 1));
    }

    /// @notice What was permitted for a work at a moment: what it carries (or its own label, once it has one), narrowed by
    /// the label of its community.
    /// @param community Community of the work.
    /// @param key Of the work.
    /// @param recordUses Uses that its record carries.
    /// @param time Moment, seconds.
    /// @return uses Flags.
    function consentAt(uint32 community, bytes32 key, uint8 recordUses, uint48 time) public view returns (uint8 uses) {
        return _labelAt(community, key, recordUses, time) & _labelAt(community, ALL_WORKS, Records.ALL_USES, time);
    }

    /// @notice What was permitted at a moment for a work that is stored; nothing for others.
    /// @param key Of the work.
    /// @param time Moment, seconds.
    /// @return uses Flags.
    function permitted(bytes32 key, uint48 time) public view returns (uint8 uses) {
        Work memory stored = _works[key];
        return consentAt(stored.community, key, stored.uses, time);
    }

    /// @notice How many labels a community has given to a work (2^256 - 1: to all its works).
    function numLabels(uint32 community, bytes32 key) external view returns (uint256) {
        return _labels[community][key].length();
    }

    /// @notice Label `index` of a community and key: since when, what, until when.
    function labelOf(uint32 community, bytes32 key, uint32 index)
        external
        view
        returns (uint48 since, uint8 uses, uint48 expiresAt)
    {
        Checkpoints.Checkpoint208 memory label = _labels[community][key].pos(index);
        return (label._key, uint8(label._value), uint48(label._value >> 8));
    }

    function _labelAt(uint32 community, bytes32 key, uint8 otherwise, uint48 time) private view returns (uint8) {
        uint208 label = _labels[community][key].upperLookupRecent(time);
        if (label == 0) return otherwise;
        uint48 expiresAt = uint48(label >> 8);
        return expiresAt != 0 && time >= expiresAt ? 0 : uint8(label);
    }

    function _requireParents(bytes calldata record, uint256 before) private view {
        uint256 parents = record.numParents();
        for (uint256 i = 0; i < parents; ++i) {
            bytes32 parent = record.parent(i);
            if (uint256(parent) >= before && _works[parent].recordHash == 0) revert UnknownParent(parent);
        }
    }

    /// @dev A single work's parents must be stored, so that their consent can be asked here and now.
    function _requireConsent(bytes calldata record) private view {
        uint32 community = record.community();
        uint256 parents = record.numParents();
        for (uint256 i = 0; i < parents; ++i) {
            bytes32 parent = record.parent(i);
            Work memory stored = _works[parent];
            if (stored.recordHash == 0) revert ParentNotOpen(parent);
            uint8 needed = stored.community == community ? Records.DERIVE : Records.DERIVE | Records.OUTSIDE;
            uint8 uses = consentAt(stored.community, parent, stored.uses, uint48(block.timestamp));
            if (uses & needed != needed) revert NoConsent(parent, uses);
        }
    }

    function _requireMembership(bytes calldata record, address owner) private view {
        uint32 community = record.community();
        if (community == 0) return;
        uint256 stems = record.numStems();
        for (uint256 i = 0; i < stems; ++i) {
            (bytes32 payeeId,) = record.stem(i);
            if (payees.communityOf(payeeId) == community && payees.accountOf(payeeId) == owner) return;
        }
        revert NotOfCommunity(owner, community);
    }

    function _register(bytes calldata record, address owner, bytes32 salt, bytes32 previousHead)
        private
        returns (bytes32 key, bytes32 newHead)
    {
        if (record.size() != record.length) revert WrongRecordLength(record.size(), record.length);
        record.check();
        _requireConsent(record);
        bytes32 content = record.content();
        uint256 taken = _firstWith[content];
        if (taken != 0) revert ContentTaken(content, bytes32(taken - 1));
        key = keccak256(abi.encode(block.chainid, address(this), content, owner, salt));
        _firstWith[content] = uint256(key) + 1;
        bytes32 recordHash = keccak256(record);
        _store(key, record, recordHash);
        newHead = keccak256(abi.encode(previousHead, key, recordHash));
        emit WorkRegistered(key, owner, record, newHead);
    }

    function _store(bytes32 key, bytes calldata record, bytes32 recordHash) private {
        _works[key] = Work(
            recordHash, record.community(), record.derivativeShare(), record.uses(), uint48(block.timestamp)
        );
    }
}
