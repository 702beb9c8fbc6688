// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Merkle trees for tests: the layout of OpenZeppelin's StandardMerkleTree, leaves in the order given
/// @notice A tree of n leaves is an array of 2n - 1 nodes: the root is node 0, the children of node i are 2i + 1 and
/// 2i + 2, leaf i stands at 2n - 2 - i, and a pair is hashed in sorted order.
library Tree {
    error NoLeaves();
    error NotRising(uint256 leaf);

    /// @notice All nodes over the given leaf hashes.
    function nodesOf(bytes32[] memory leaves) internal pure returns (bytes32[] memory nodes) {
        uint256 n = leaves.length;
        if (n == 0) revert NoLeaves();
        nodes = new bytes32[](2 * n - 1);
        for (uint256 i = 0; i < n; ++i) {
            nodes[2 * n - 2 - i] = leaves[i];
        }
        for (uint256 i = n - 1; i > 0; --i) {
            nodes[i - 1] = pair(nodes[2 * i - 1], nodes[2 * i]);
        }
    }

    /// @notice The root over the given leaf hashes.
    function rootOf(bytes32[] memory leaves) internal pure returns (bytes32) {
        return nodesOf(leaves)[0];
    }

    /// @notice Siblings from leaf `leaf` up to the root.
    function proofOf(bytes32[] memory nodes, uint256 leaf) internal pure returns (bytes32[] memory proof) {
        uint256 node = nodes.length - 1 - leaf;
        uint256 depth = 0;
        for (uint256 i = node; i > 0; i = (i - 1) / 2) {
            ++depth;
        }
        proof = new bytes32[](depth);
        for (uint256 k = 0; k < depth; ++k) {
            proof[k] = nodes[node % 2 == 0 ? node - 1 : node + 1];
            node = (node - 1) / 2;
        }
    }

    /// @notice One proof for several leaves at once, as `MerkleProof.multiProofVerify` reads it.
    /// @param chosen Leaves' numbers in rising order; the claimed leaves have to be given in this order too.
    /// @dev Nodes are taken from a queue, highest array index (deepest) first; the sibling is the next in the queue (flag
    /// true) or a hash of the proof (flag false).
    function multiProofOf(bytes32[] memory nodes, uint256[] memory chosen)
        internal
        pure
        returns (bytes32[] memory proof, bool[] memory flags)
    {
        uint256[] memory queue = new uint256[](chosen.length + nodes.length);
        uint256 end = 0;
        for (uint256 i = 0; i < chosen.length; ++i) {
            if (i > 0 && chosen[i] <= chosen[i - 1]) revert NotRising(chosen[i]);
            queue[end++] = nodes.length - 1 - chosen[i];
        }
        proof = new bytes32[](nodes.length);
        flags = new bool[](nodes.length);
        uint256 proofs = 0;
        uint256 steps = 0;
        for (uint256 start = 0; start < end && queue[start] > 0; ++start) {
            uint256 node = queue[start];
            uint256 sibling = node % 2 == 0 ? node - 1 : node + 1;
            if (start + 1 < end && queue[start + 1] == sibling) {
                flags[steps++] = true;
                ++start;
            } else {
                proof[proofs++] = nodes[sibling];
                flags[steps++] = false;
            }
            queue[end++] = (node - 1) / 2;
        }
        if (chosen.length == 0) proof[proofs++] = nodes[0];
        assembly ("memory-safe") {
            mstore(proof, proofs)
            mstore(flags, steps)
        }
    }

    /// @notice Hash of a pair, the smaller first.
    function pair(bytes32 a, bytes32 b) internal pure returns (bytes32) {
        return a < b ? keccak256(abi.encodePacked(a, b)) : keccak256(abi.encodePacked(b, a));
    }
}
