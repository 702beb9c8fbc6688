// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What derives from what, as a hash chain of batches
/// @notice Works are numbered in the order of registration. A work may only name parents with a smaller number, so the
/// graph of derivations has no cycle, and no storage per work is needed to know it. The records themselves stand in the
/// calldata of the registering transaction; `head` commits to all of them, in order.
///
/// A record is packed as: content hash (32 bytes), community (2), consent flags (1), number of parents (1), then each
/// parent's number (4 each), all big-endian.
contract ProvenanceRegistry {
    /// @notice Most parents a work may have.
    uint256 public constant MAX_PARENTS = 16;
    uint256 private constant FIXED_BYTES = 36;
    uint256 private constant PARENT_BYTES = 4;

    /// @notice The only account that may register.
    address public immutable registrar;
    /// @notice Fold of all batches so far; starts as the hash of chain id and this address.
    bytes32 public head;
    /// @notice How many works are registered; the next work gets this number.
    uint256 public numWorks;

    /// @param firstId Number of the batch's first work.
    /// @param numRecords How many works the batch holds.
    /// @param recordsHash keccak256 of the packed records.
    /// @param head Fold including this batch.
    event BatchRegistered(uint256 indexed firstId, uint256 numRecords, bytes32 recordsHash, bytes32 head);

    error NotRegistrar(address caller);
    error StaleHead(bytes32 expected, bytes32 given);
    error UnknownParent(uint256 work, uint256 parent);
    error TooManyParents(uint256 work, uint256 numParents);
    error EmptyBatch();

    /// @param registrar_ The only account that may register.
    constructor(address registrar_) {
        registrar = registrar_;
        head = keccak256(abi.encode(block.chainid, address(this)));
    }

    /// @notice Register a batch of works, parents before children.
    /// @param previousHead The `head` the sender builds on; a batch built on another one is refused.
    /// @param records Packed records; bytes left over or missing make the call revert.
    /// @return newHead keccak256(abi.encode(previousHead, firstId, numRecords, keccak256(records))).
    function registerBatch(bytes32 previousHead, bytes calldata records) external returns (bytes32 newHead) {
        if (msg.sender != registrar) revert NotRegistrar(msg.sender);
        if (previousHead != head) revert StaleHead(head, previousHead);
        if (records.length == 0) revert EmptyBatch();
        uint256 firstId = numWorks;
        uint256 endId = _checkParents(records, firstId);
        bytes32 recordsHash = keccak256(records);
        newHead = keccak256(abi.encode(previousHead, firstId, endId - firstId, recordsHash));
        head = newHead;
        numWorks = endId;
        emit BatchRegistered(firstId, endId - firstId, recordsHash, newHead);
    }

    /// @dev Walks the packed records; slicing past the end reverts.
    function _checkParents(bytes calldata records, uint256 firstId) private pure returns (uint256 id) {
        id = firstId;
        uint256 offset = 0;
        while (offset < records.length) {
            uint256 numParents = uint8(bytes1(records[offset + FIXED_BYTES - 1:offset + FIXED_BYTES]));
            if (numParents > MAX_PARENTS) revert TooManyParents(id, numParents);
            offset += FIXED_BYTES;
            for (uint256 i = 0; i < numParents; ++i) {
                uint256 parent = uint32(bytes4(records[offset:offset + PARENT_BYTES]));
                if (parent >= id) revert UnknownParent(id, parent);
                offset += PARENT_BYTES;
            }
            ++id;
        }
    }
}
