// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {Test} from "./base/Test.sol";
import {Tree} from "./base/Tree.sol";

/// @notice The tests' own trees pass OpenZeppelin's verifier, and the machine under the tests is the one named.
contract TreeTest is Test {
    function testFuzz_every_leaf_is_proved_and_no_other_value_is(uint256 size, uint256 leaf, bytes32 other) public pure {
        size = between(size, 1, 40);
        leaf = between(leaf, 0, size - 1);
        bytes32[] memory leaves = _leaves(size);
        vm.assume(other != leaves[leaf]);
        bytes32[] memory nodes = Tree.nodesOf(leaves);
        bytes32[] memory proof = Tree.proofOf(nodes, leaf);
        vm.assertTrue(MerkleProof.verify(proof, nodes[0], leaves[leaf]), "own leaf");
        vm.assertFalse(MerkleProof.verify(proof, nodes[0], other), "another value");
    }

    function testFuzz_any_choice_of_leaves_is_proved_at_once(uint256 size, uint256 choice) public pure {
        size = between(size, 1, 40);
        bytes32[] memory nodes = Tree.nodesOf(_leaves(size));
        uint256[] memory chosen = new uint256[](size);
        bytes32[] memory given = new bytes32[](size);
        uint256 count = 0;
        for (uint256 i = 0; i < size; ++i) {
            if ((choice >> i) & 1 == 0) continue;
            given[count] = nodes[nodes.length - 1 - i];
            chosen[count++] = i;
        }
        assembly ("memory-safe") {
            mstore(chosen, count)
            mstore(given, count)
        }
        (bytes32[] memory proof, bool[] memory flags) = Tree.multiProofOf(nodes, chosen);
        vm.assertTrue(MerkleProof.multiProofVerify(proof, flags, nodes[0], given), "chosen leaves");
    }

    function test_three_leaves_hash_as_worked_out_by_hand() public pure {
        bytes32[] memory leaves = _leaves(3);
        // Array: root, (leaf 1, leaf 0), leaf 2, leaf 1, leaf 0.
        bytes32 inner = Tree.pair(leaves[1], leaves[0]);
        vm.assertEq(Tree.rootOf(leaves), Tree.pair(inner, leaves[2]), "root");
    }

    function test_runs_on_osaka_within_its_gas_cap_of_a_transaction() public {
        // CLZ (0x1e) came with Osaka: code that returns clz(1), deployed by hand as solc for Cancun has no such word.
        bytes memory creation = hex"6960011e5f5260205ff3005f52600a6016f3";
        address counter;
        assembly ("memory-safe") {
            counter := create(0, add(creation, 32), mload(creation))
        }
        (bool done, bytes memory answer) = counter.call("");
        vm.assertTrue(done, "CLZ is known");
        vm.assertEq(abi.decode(answer, (uint256)), 255, "leading zeros of 1");
        vm.assertLt(gasleft(), 16_777_216, "EIP-7825");
    }

    function _leaves(uint256 size) private pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](size);
        for (uint256 i = 0; i < size; ++i) {
            leaves[i] = keccak256(abi.encode("leaf", i));
        }
    }
}
