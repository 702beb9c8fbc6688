// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";

/// @title A work's record as packed bytes, and the Merkle tree over a batch of them
/// @notice Big-endian: content hash 32 | C2PA manifest hash 32 | community 4 | uses 1 | derivative share 4 | number of
/// parents 1 | number of stems 1 | parents 32 each, strictly ascending | stems (payee id 32, basis points 2) each.
///
/// Uses are flags: 1 train, 2 derive, 4 perform, 8 sell, 16 outside the tradition. The derivative share is what every work
/// that derives from this one owes it, in parts of 10^8. Stems share what the work itself keeps and sum to 10,000.
library Records {
    uint256 internal constant MAX_PARENTS = 16;
    uint256 internal constant MAX_STEMS = 16;
    uint256 internal constant FIXED_BYTES = 75;
    uint256 internal constant PARENT_BYTES = 32;
    uint256 internal constant STEM_BYTES = 34;
    uint256 internal constant SHARE_BASIS = 1e8;
    uint256 internal constant STEM_BASIS = 10_000;
    uint8 internal constant DERIVE = 2;
    uint8 internal constant OUTSIDE = 16;
    uint8 internal constant ALL_USES = 31;

    error RecordTooShort(uint256 bytesGiven);
    error TooManyParents(uint256 numParents);
    error TooManyStems(uint256 numStems);
    error UnknownUses(uint8 uses);
    error ShareAboveWhole(uint256 share);
    error ParentsNotAscending();
    error StemsDoNotSum(uint256 sum);

    /// @notice Bytes that the record at the beginning of `data` takes.
    function size(bytes calldata data) internal pure returns (uint256 bytesTaken) {
        if (data.length < FIXED_BYTES) revert RecordTooShort(data.length);
        bytesTaken = FIXED_BYTES + PARENT_BYTES * numParents(data) + STEM_BYTES * numStems(data);
        if (data.length < bytesTaken) revert RecordTooShort(data.length);
    }

    /// @notice Refuse a record that breaks its own rules; whether its parents exist is the registry's question.
    function check(bytes calldata record) internal pure {
        uint256 parents = numParents(record);
        uint256 stems = numStems(record);
        if (parents > MAX_PARENTS) revert TooManyParents(parents);
        if (stems > MAX_STEMS) revert TooManyStems(stems);
        if (uses(record) > ALL_USES) revert UnknownUses(uses(record));
        if (derivativeShare(record) > SHARE_BASIS) revert ShareAboveWhole(derivativeShare(record));
        for (uint256 i = 1; i < parents; ++i) {
            if (parent(record, i - 1) >= parent(record, i)) revert ParentsNotAscending();
        }
        uint256 sum = 0;
        for (uint256 i = 0; i < stems; ++i) {
            (, uint256 bps) = stem(record, i);
            sum += bps;
        }
        if (stems > 0 && sum != STEM_BASIS) revert StemsDoNotSum(sum);
    }

    function content(bytes calldata record) internal pure returns (bytes32) {
        return bytes32(record[0:32]);
    }

    function community(bytes calldata record) internal pure returns (uint32) {
        return uint32(bytes4(record[64:68]));
    }

    function uses(bytes calldata record) internal pure returns (uint8) {
        return uint8(record[68]);
    }

    function derivativeShare(bytes calldata record) internal pure returns (uint32) {
        return uint32(bytes4(record[69:73]));
    }

    function numParents(bytes calldata record) internal pure returns (uint256) {
        return uint8(record[73]);
    }

    function numStems(bytes calldata record) internal pure returns (uint256) {
        return uint8(record[74]);
    }

    /// @notice Key of parent `i`.
    function parent(bytes calldata record, uint256 i) internal pure returns (bytes32) {
        uint256 offset = FIXED_BYTES + PARENT_BYTES * i;
        return bytes32(record[offset:offset + PARENT_BYTES]);
    }

    /// @notice Payee and basis points of stem `i`.
    function stem(bytes calldata record, uint256 i) internal pure returns (bytes32 payeeId, uint256 bps) {
        uint256 offset = FIXED_BYTES + PARENT_BYTES * numParents(record) + STEM_BYTES * i;
        payeeId = bytes32(record[offset:offset + 32]);
        bps = uint16(bytes2(record[offset + 32:offset + STEM_BYTES]));
    }

    /// @notice Leaf of a batch's tree: hashed twice, so that no inner node passes for a leaf.
    function leaf(uint256 number, bytes32 recordHash) internal pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(number, recordHash))));
    }

    /// @notice Root of a complete binary tree over the first `n` leaves, n >= 1: node i has the children 2i + 1 and 2i + 2,
    /// leaf i stands at 2n - 2 - i, and pairs are hashed in sorted order.
    function rootOf(bytes32[] memory leaves, uint256 n) internal pure returns (bytes32) {
        bytes32[] memory tree = new bytes32[](2 * n - 1);
        for (uint256 i = 0; i < n; ++i) {
            tree[2 * n - 2 - i] = leaves[i];
        }
        for (uint256 i = n - 1; i > 0; --i) {
            tree[i - 1] = Hashes.commutativeKeccak256(tree[2 * i - 1], tree[2 * i]);
        }
        return tree[0];
    }
}
