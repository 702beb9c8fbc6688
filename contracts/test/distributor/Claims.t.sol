// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {EpochDistributor} from "../../src/EpochDistributor.sol";
import {Tree} from "../base/Tree.sol";
import {World} from "../base/World.sol";
import {PlainToken} from "../mocks/HostileTokens.sol";

/// @notice Claims, and proofs made to cheat.
contract ClaimsTest is World {
    uint256 private constant NUM_PAYEES = 20;

    function setUp() public {
        build(new PlainToken(), NUM_PAYEES);
    }

    // ---- who is paid what ------------------------------------------------------------------------------------------

    function testFuzz_a_claim_pays_what_is_due_to_the_registered_account(uint64[8] memory amounts, uint256 who) public {
        Statement memory s = statement(_wide(amounts));
        settle(s);
        who = between(who, 0, 7);
        if (amounts[who] == 0) {
            vm.expectRevert(abi.encodeWithSelector(EpochDistributor.NothingDue.selector, idOf(who)));
        }
        vm.prank(stranger);
        distributor.claim(s.ids[who], s.amounts[who], proofOf(s, who));
        vm.assertEq(token.balanceOf(accountOf(who)), amounts[who], "paid");
        vm.assertEq(token.balanceOf(stranger), 0, "the caller gets nothing");
        vm.assertEq(totalClaimed(), amounts[who], "booked");
    }

    function test_claiming_twice_pays_nothing() public {
        Statement memory s = ladder(4, 10);
        settle(s);
        claim(s, 1);
        vm.expectRevert(abi.encodeWithSelector(EpochDistributor.NothingDue.selector, idOf(1)));
        claim(s, 1);
        distributor.claimMany(claimList(s, range(1, 2)));
        claimAtOnce(s, range(1, 2));
        vm.assertEq(token.balanceOf(accountOf(1)), 20, "once");
    }

    function testFuzz_a_missed_claim_loses_nothing(uint32[3] memory rises, uint8 claims) public {
        uint256 cumulative = 0;
        for (uint256 k = 0; k < 3; ++k) {
            cumulative += uint256(rises[k]) + 1;
            uint256[] memory amounts = new uint256[](3);
            (amounts[0], amounts[1], amounts[2]) = (cumulative, 2 * cumulative, 3 * cumulative);
            Statement memory s = statement(amounts);
            settle(s);
            if (k == 2 || (claims >> k) & 1 == 1) claim(s, 1);
        }
        vm.assertEq(token.balanceOf(accountOf(1)), 2 * cumulative, "all epochs in the last claim");
    }

    function testFuzz_many_and_multi_pay_like_single_claims(uint256 size, uint256 choice) public {
        size = between(size, 1, NUM_PAYEES);
        Statement memory s = ladder(size, 7);
        settle(s);
        uint256[] memory chosen = _chosen(size, choice);
        uint256 before = vm.snapshotState();
        for (uint256 k = 0; k < chosen.length; ++k) {
            claim(s, chosen[k]);
        }
        uint256[] memory paid = _balances(size);
        uint128 booked = totalClaimed();
        vm.revertToState(before);
        before = vm.snapshotState();
        distributor.claimMany(claimList(s, chosen));
        vm.assertEq(_balances(size), paid, "many");
        vm.assertEq(totalClaimed(), booked, "many: booked");
        vm.revertToState(before);
        if (chosen.length == 0) return;
        claimAtOnce(s, chosen);
        vm.assertEq(_balances(size), paid, "multi");
        vm.assertEq(totalClaimed(), booked, "multi: booked");
    }

    function test_a_claim_that_came_first_does_not_stop_the_others() public {
        Statement memory s = ladder(8, 10);
        settle(s);
        claim(s, 3);
        distributor.claimMany(claimList(s, range(0, 4)));
        claimAtOnce(s, range(2, 8));
        vm.assertEq(totalClaimed(), s.total, "everybody was paid");
        vm.assertEq(token.balanceOf(address(distributor)), 0, "nothing is left");
    }

    function test_a_zero_amount_is_owed_nothing_and_stops_nobody() public {
        uint256[] memory amounts = new uint256[](3);
        amounts[1] = 5;
        Statement memory s = statement(amounts);
        settle(s);
        vm.expectRevert(abi.encodeWithSelector(EpochDistributor.NothingDue.selector, idOf(0)));
        claim(s, 0);
        claimAtOnce(s, range(0, 3));
        vm.assertEq(token.balanceOf(accountOf(1)), 5, "the one with money");
    }

    function test_nobody_claims_before_a_root_is_final() public {
        Statement memory s = ladder(4, 10);
        post(s);
        vm.expectRevert(EpochDistributor.NothingFinal.selector);
        claim(s, 0);
        EpochDistributor.Claim[] memory list = claimList(s, range(0, 1));
        vm.expectRevert(EpochDistributor.NothingFinal.selector);
        distributor.claimMany(list);
    }

    function test_a_pending_root_pays_nothing() public {
        settle(ladder(4, 10));
        Statement memory next = ladder(4, 20);
        post(next);
        vm.expectRevert(EpochDistributor.WrongProof.selector);
        claim(next, 0);
    }

    function test_a_payee_without_an_account_is_not_paid_into_the_void() public {
        bytes32[] memory ids = new bytes32[](2);
        (ids[0], ids[1]) = (idOf(0), keccak256("unregistered"));
        uint256[] memory amounts = new uint256[](2);
        (amounts[0], amounts[1]) = (1, 2);
        Statement memory s = statement(ids, amounts);
        settle(s);
        vm.expectRevert(abi.encodeWithSelector(EpochDistributor.UnknownPayee.selector, ids[1]));
        claim(s, 1);
        vm.prank(registrar);
        payees.registerPayees(row(ids[1], stranger, 0));
        claim(s, 1);
        vm.assertEq(token.balanceOf(stranger), 2, "paid once registered");
    }

    // ---- replay ----------------------------------------------------------------------------------------------------

    function test_a_proof_of_an_old_epoch_is_worth_nothing_under_a_new_root() public {
        Statement memory old = ladder(4, 10);
        settle(old);
        settle(ladder(4, 20));
        vm.expectRevert(EpochDistributor.WrongProof.selector);
        claim(old, 0);
    }

    function test_a_proof_for_another_distributor_is_worth_nothing_here() public {
        Statement memory elsewhere = ladder(4, 10);
        distributor = newDistributor(token);
        vm.prank(poster);
        token.approve(address(distributor), type(uint256).max);
        settle(ladder(4, 10));
        vm.expectRevert(EpochDistributor.WrongProof.selector);
        claim(elsewhere, 0);
    }

    function test_a_proof_for_another_chain_is_worth_nothing_here() public {
        Statement memory s = ladder(4, 10);
        settle(s);
        vm.chainId(block.chainid + 1);
        vm.expectRevert(EpochDistributor.WrongProof.selector);
        claim(s, 0);
    }

    // ---- proofs made to cheat --------------------------------------------------------------------------------------

    function testFuzz_a_false_amount_or_payee_is_not_proved(uint256 amount, bytes32 id, bool other) public {
        Statement memory s = ladder(8, 10);
        settle(s);
        vm.assume(amount != s.amounts[2] && id != s.ids[2]);
        vm.expectRevert(EpochDistributor.WrongProof.selector);
        if (other) distributor.claim(id, s.amounts[2], proofOf(s, 2));
        else distributor.claim(s.ids[2], amount, proofOf(s, 2));
    }

    function testFuzz_a_proof_with_a_changed_word_is_refused(uint256 at, bytes32 change) public {
        Statement memory s = ladder(8, 10);
        settle(s);
        bytes32[] memory proof = proofOf(s, 5);
        at = between(at, 0, proof.length - 1);
        vm.assume(change != 0);
        proof[at] ^= change;
        vm.expectRevert(EpochDistributor.WrongProof.selector);
        distributor.claim(s.ids[5], s.amounts[5], proof);
    }

    /// @dev Leaves are hashed twice: the 64 bytes under an inner node are two hashes, never an encoded claim.
    function testFuzz_an_inner_node_does_not_pass_for_a_leaf(uint256 node) public {
        Statement memory s = ladder(8, 10);
        settle(s);
        node = between(node, 0, 6);
        bytes32 left = s.nodes[2 * node + 1];
        bytes32 right = s.nodes[2 * node + 2];
        if (right < left) (left, right) = (right, left);
        bytes32[] memory proof = _proofOfNode(s.nodes, node);
        vm.assertTrue(MerkleProof.verify(proof, s.nodes[0], Tree.pair(left, right)), "the node is in the tree");
        vm.expectRevert(EpochDistributor.WrongProof.selector);
        distributor.claim(left, uint256(right), proof);
    }

    function test_the_root_itself_is_no_claim() public {
        Statement memory s = ladder(2, 10);
        settle(s);
        (bytes32 left, bytes32 right) =
            s.nodes[1] < s.nodes[2] ? (s.nodes[1], s.nodes[2]) : (s.nodes[2], s.nodes[1]);
        vm.expectRevert(EpochDistributor.WrongProof.selector);
        distributor.claim(left, uint256(right), new bytes32[](0));
    }

    function test_a_multiproof_of_no_leaves_is_refused() public {
        settle(ladder(4, 10));
        bytes32[] memory root = new bytes32[](1);
        root[0] = distributor.finalRoot().root;
        vm.expectRevert(EpochDistributor.WrongLengths.selector);
        distributor.claimMulti(new bytes32[](0), new uint256[](0), root, new bool[](0));
    }

    /// @dev CVE-2023-34459: a proof that smuggles the root past the leaves. The proof's last word is the root and the flags
    /// never take the claimed leaf in.
    function testFuzz_a_multiproof_cannot_carry_the_root_past_the_leaves(uint256 amount, uint8 steps) public {
        Statement memory s = ladder(8, 10);
        settle(s);
        bytes32[] memory ids = new bytes32[](1);
        uint256[] memory amounts = new uint256[](1);
        (ids[0], amounts[0]) = (idOf(0), amount == s.amounts[0] ? amount + 1 : amount);
        uint256 n = between(steps, 0, 6);
        bytes32[] memory proof = new bytes32[](n + 1);
        for (uint256 i = 0; i <= n; ++i) {
            proof[i] = i == n ? s.nodes[0] : s.nodes[i + 1];
        }
        (bool done,) =
            address(distributor).call(abi.encodeCall(distributor.claimMulti, (ids, amounts, proof, new bool[](n))));
        vm.assertFalse(done, "refused");
        (done,) =
            address(distributor).call(abi.encodeCall(distributor.claimMulti, (ids, amounts, proof, new bool[](n + 1))));
        vm.assertFalse(done, "refused with one step more");
    }

    function testFuzz_a_multiproof_with_a_changed_flag_or_order_is_refused(uint256 choice, uint256 at, bool swap)
        public
    {
        Statement memory s = ladder(16, 10);
        settle(s);
        uint256[] memory chosen = _chosen(16, choice | 5);
        (bytes32[] memory proof, bool[] memory flags) = Tree.multiProofOf(s.nodes, chosen);
        bytes32[] memory ids = new bytes32[](chosen.length);
        uint256[] memory amounts = new uint256[](chosen.length);
        for (uint256 k = 0; k < chosen.length; ++k) {
            (ids[k], amounts[k]) = (s.ids[chosen[k]], s.amounts[chosen[k]]);
        }
        if (swap) {
            // Neighbours under one parent may change places, as pairs are sorted; the first and the last are none.
            (amounts[0], amounts[chosen.length - 1]) = (amounts[chosen.length - 1], amounts[0]);
        } else {
            at = between(at, 0, flags.length - 1);
            flags[at] = !flags[at];
        }
        (bool done,) =
            address(distributor).call(abi.encodeCall(distributor.claimMulti, (ids, amounts, proof, flags)));
        vm.assertFalse(done, "refused");
        vm.assertEq(totalClaimed(), 0, "nothing was paid");
    }

    function test_lists_of_different_lengths_are_refused() public {
        settle(ladder(4, 10));
        vm.expectRevert(EpochDistributor.WrongLengths.selector);
        distributor.claimMulti(new bytes32[](2), new uint256[](1), new bytes32[](0), new bool[](0));
    }

    function test_one_wrong_proof_stops_the_whole_batch() public {
        Statement memory s = ladder(4, 10);
        settle(s);
        EpochDistributor.Claim[] memory list = claimList(s, range(0, 4));
        list[2].cumulative += 1;
        vm.expectRevert(EpochDistributor.WrongProof.selector);
        distributor.claimMany(list);
    }

    // ---- statements that lie ---------------------------------------------------------------------------------------

    function testFuzz_leaves_above_the_total_are_paid_no_further_than_the_total(uint64 total, uint64 excess) public {
        excess = uint64(between(excess, 1, type(uint64).max));
        uint256[] memory amounts = new uint256[](2);
        (amounts[0], amounts[1]) = (total, excess);
        Statement memory s = statement(amounts);
        s.total = total;
        settle(s);
        if (total > 0) claim(s, 0);
        vm.expectRevert(
            abi.encodeWithSelector(EpochDistributor.AboveCeiling.selector, total, uint256(total) + excess)
        );
        claim(s, 1);
        vm.assertEq(totalClaimed(), total, "the ceiling");
    }

    /// @dev The money of a pending epoch lies in the contract already; the final root's ceiling keeps claims off it.
    function test_a_lying_root_cannot_drain_what_was_paid_in_for_another() public {
        uint256[] memory amounts = new uint256[](2);
        (amounts[0], amounts[1]) = (10, 1_000);
        Statement memory lying = statement(amounts);
        lying.total = 10;
        settle(lying);
        post(keccak256("the next epoch, paid in full"), 2_000);
        EpochDistributor.Claim[] memory list = claimList(lying, range(0, 2));
        vm.expectPartialRevert(EpochDistributor.AboveCeiling.selector);
        distributor.claimMany(list);
        vm.expectPartialRevert(EpochDistributor.AboveCeiling.selector);
        claim(lying, 1);
        vm.assertEq(token.balanceOf(address(distributor)), 2_000, "untouched");
    }

    function test_two_leaves_of_one_payee_pay_the_larger_once() public {
        bytes32[] memory ids = new bytes32[](3);
        (ids[0], ids[1], ids[2]) = (idOf(0), idOf(0), idOf(1));
        uint256[] memory amounts = new uint256[](3);
        (amounts[0], amounts[1], amounts[2]) = (10, 25, 5);
        Statement memory s = statement(ids, amounts);
        settle(s);
        claimAtOnce(s, range(0, 3));
        vm.assertEq(token.balanceOf(accountOf(0)), 25, "the larger cumulative amount");
        vm.expectRevert(abi.encodeWithSelector(EpochDistributor.NothingDue.selector, idOf(0)));
        claim(s, 0);
    }

    function test_a_cumulative_amount_that_fell_pays_nothing_and_takes_nothing() public {
        settle(ladder(2, 50));
        claim(ladder(2, 50), 0);
        uint256[] memory amounts = new uint256[](2);
        (amounts[0], amounts[1]) = (30, 120);
        Statement memory s = statement(amounts);
        settle(s);
        vm.expectRevert(abi.encodeWithSelector(EpochDistributor.NothingDue.selector, idOf(0)));
        claim(s, 0);
        vm.assertEq(distributor.claimed(idOf(0)), 50, "what was paid stays on record");
    }

    function testFuzz_amounts_near_the_ends_of_the_types_neither_wrap_nor_pay(uint256 amount) public {
        amount = between(amount, uint256(type(uint128).max) - 3, type(uint256).max);
        uint256[] memory amounts = new uint256[](1);
        amounts[0] = amount;
        bytes32[] memory ids = new bytes32[](1);
        ids[0] = idOf(0);
        Statement memory s = Statement(ids, amounts, 100, new bytes32[](1));
        s.nodes[0] = leafOf(idOf(0), amount);
        settle(s);
        vm.expectPartialRevert(EpochDistributor.AboveCeiling.selector);
        claim(s, 0);
    }

    function test_claimed_amounts_are_told_in_the_order_asked() public {
        Statement memory s = ladder(3, 10);
        settle(s);
        claim(s, 0);
        claim(s, 2);
        bytes32[] memory ids = new bytes32[](3);
        (ids[0], ids[1], ids[2]) = (idOf(2), idOf(1), idOf(0));
        uint256[] memory told = distributor.claimedOf(ids);
        vm.assertEq(told[0], 30, "third payee");
        vm.assertEq(told[1], 0, "second payee");
        vm.assertEq(told[2], 10, "first payee");
    }

    function _wide(uint64[8] memory narrow) private pure returns (uint256[] memory wide) {
        wide = new uint256[](8);
        for (uint256 i = 0; i < 8; ++i) {
            wide[i] = narrow[i];
        }
    }

    function _balances(uint256 n) private view returns (uint256[] memory amounts) {
        amounts = new uint256[](n);
        for (uint256 i = 0; i < n; ++i) {
            amounts[i] = token.balanceOf(accountOf(i));
        }
    }

    function _chosen(uint256 size, uint256 choice) private pure returns (uint256[] memory chosen) {
        chosen = new uint256[](size);
        uint256 count = 0;
        for (uint256 i = 0; i < size; ++i) {
            if ((choice >> i) & 1 == 1) chosen[count++] = i;
        }
        assembly ("memory-safe") {
            mstore(chosen, count)
        }
    }

    function _proofOfNode(bytes32[] memory nodes, uint256 node) private pure returns (bytes32[] memory) {
        return Tree.proofOf(nodes, nodes.length - 1 - node);
    }
}
