// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {EpochDistributor} from "../../src/EpochDistributor.sol";
import {World} from "../base/World.sol";
import {ForcedSender} from "../mocks/Wallets.sol";
import {PlainToken} from "../mocks/HostileTokens.sol";

/// @notice Funding, posting, finalising and disputing.
contract PostingTest is World {
    function setUp() public {
        build(new PlainToken(), 4);
    }

    // ---- epochs ----------------------------------------------------------------------------------------------------

    function testFuzz_only_the_next_epoch_can_be_posted(uint256 epoch) public {
        settle(ladder(4, 10));
        vm.assume(epoch != 1);
        bytes32 head = provenance.head();
        vm.expectRevert(abi.encodeWithSelector(EpochDistributor.WrongEpoch.selector, 1, epoch));
        vm.prank(poster);
        distributor.post(epoch, keccak256("root"), 100, head, DATA);
    }

    function test_only_the_poster_posts() public {
        bytes32 head = provenance.head();
        bytes32 role = distributor.POSTER_ROLE();
        address[4] memory others = [admin, guardian, registrar, stranger];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, others[i], role)
            );
            vm.prank(others[i]);
            distributor.post(0, keccak256("a root run ahead with"), 0, head, DATA);
        }
    }

    function test_admin_poster_and_guardian_are_three_keys() public {
        address[3][3] memory same =
            [[admin, admin, guardian], [admin, poster, admin], [admin, poster, poster]];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectPartialRevert(EpochDistributor.SameKey.selector);
            this.deployed(same[i], SILENCE);
        }
    }

    function test_silence_shorter_than_the_window_is_refused() public {
        vm.expectRevert(abi.encodeWithSelector(EpochDistributor.SilenceTooShort.selector, WINDOW, WINDOW));
        this.deployed([admin, poster, guardian], WINDOW);
    }

    function testFuzz_a_total_never_falls(uint128 before, uint128 fallen) public {
        before = uint128(between(before, 1, type(uint128).max));
        fallen = uint128(between(fallen, 0, before - 1));
        post(keccak256("first"), before);
        bytes32 head = provenance.head();
        vm.expectRevert(abi.encodeWithSelector(EpochDistributor.TotalFell.selector, before, fallen));
        vm.prank(poster);
        distributor.post(1, keccak256("second"), fallen, head, DATA);
    }

    function testFuzz_a_total_beyond_128_bits_is_refused_and_leaves_nothing(uint256 total) public {
        total = between(total, uint256(type(uint128).max) + 1, type(uint256).max);
        bytes32 head = provenance.head();
        vm.expectRevert();
        vm.prank(poster);
        distributor.post(0, keccak256("root"), total, head, DATA);
        vm.assertEq(nextEpoch(), 0, "nothing posted");
    }

    function test_an_epoch_is_bound_to_the_registry_s_head() public {
        bytes32 head = provenance.head();
        vm.expectPartialRevert(EpochDistributor.WrongProvenanceHead.selector);
        vm.prank(poster);
        distributor.post(0, keccak256("root"), 0, keccak256("another graph"), DATA);
        post(keccak256("root"), 0);
        vm.assertEq(provenance.head(), head, "head");
    }

    /// @dev Anybody may reveal a work; that must not make the registrar's next batch or the poster's next epoch stale.
    function test_a_work_revealed_just_before_stops_neither_batch_nor_epoch() public {
        bytes memory record = abi.encodePacked(
            keccak256("content"), bytes32(0), uint32(0), uint8(1), uint32(0), uint8(0), uint8(1), idOf(0), uint16(10_000)
        );
        bytes32 head = provenance.head();
        vm.startPrank(stranger);
        provenance.commit(keccak256(abi.encode(stranger, bytes32(0), keccak256(record))));
        vm.warp(block.timestamp + provenance.MIN_COMMIT_S());
        provenance.reveal(record, bytes32(0));
        vm.stopPrank();
        vm.prank(poster);
        distributor.post(0, keccak256("root"), 0, head, DATA);
        vm.prank(registrar);
        provenance.registerBatch(head, record);
        vm.assertEq(provenance.numWorks(), 1, "both went through");
    }

    function test_the_eighth_pending_epoch_has_to_wait() public {
        for (uint256 i = 0; i < 7; ++i) {
            post(keccak256(abi.encode(i)), 10 * i);
        }
        bytes32 head = provenance.head();
        vm.expectRevert(abi.encodeWithSelector(EpochDistributor.TooManyPending.selector, 7));
        vm.prank(poster);
        distributor.post(7, keccak256("eighth"), 100, head, DATA);
        vm.warp(block.timestamp + WINDOW);
        distributor.finalize(0);
        post(keccak256("eighth"), 100);
        vm.assertEq(nextEpoch(), 8, "posted once there was room");
    }

    // ---- the window ------------------------------------------------------------------------------------------------

    function testFuzz_a_root_is_final_from_the_window_s_end_and_not_before(uint256 passed) public {
        uint256 epoch = post(ladder(4, 10));
        uint256 until = block.timestamp + WINDOW;
        passed = between(passed, 0, 2 * uint256(WINDOW));
        vm.warp(block.timestamp + passed);
        if (passed < WINDOW) vm.expectRevert(abi.encodeWithSelector(EpochDistributor.WindowOpen.selector, until));
        vm.prank(stranger);
        distributor.finalize(epoch);
        vm.assertEq(numFinal(), passed < WINDOW ? 0 : 1, "final epochs");
    }

    function testFuzz_dispute_and_finalize_share_no_second(uint256 passed) public {
        uint256 epoch = post(ladder(4, 10));
        vm.warp(block.timestamp + between(passed, 0, 2 * uint256(WINDOW)));
        uint256 before = vm.snapshotState();
        bool finalized = _tried(stranger, abi.encodeCall(distributor.finalize, (epoch)));
        vm.revertToState(before);
        bool disputed = _tried(guardian, abi.encodeCall(distributor.dispute, (epoch)));
        vm.assertTrue(finalized != disputed, "exactly one is possible");
    }

    function test_epochs_become_final_in_order() public {
        post(keccak256("0"), 1);
        post(keccak256("1"), 2);
        vm.warp(block.timestamp + WINDOW);
        vm.expectRevert(abi.encodeWithSelector(EpochDistributor.WrongEpoch.selector, 0, 1));
        distributor.finalize(1);
        distributor.finalize(0);
        distributor.finalize(1);
        vm.expectRevert(EpochDistributor.NothingPending.selector);
        distributor.finalize(2);
        vm.assertEq(distributor.finalRoot().root, keccak256("1"), "last one");
    }

    function test_nothing_is_final_at_first() public {
        vm.expectRevert(EpochDistributor.NothingFinal.selector);
        distributor.finalRoot();
        vm.expectRevert(abi.encodeWithSelector(EpochDistributor.NotPending.selector, 0));
        distributor.pendingRoot(0);
        post(keccak256("0"), 5);
        vm.assertEq(distributor.pendingRoot(0).total, 5, "pending total");
    }

    // ---- the guardian ----------------------------------------------------------------------------------------------

    function test_a_dispute_drops_the_epoch_and_what_stands_on_it_and_moves_no_money() public {
        Statement memory first = ladder(4, 10);
        settle(first);
        post(keccak256("1"), 200);
        post(keccak256("2"), 300);
        post(keccak256("3"), 400);
        uint256 balance = token.balanceOf(address(distributor));
        vm.prank(guardian);
        distributor.dispute(2);
        vm.assertEq(nextEpoch(), 2, "epoch 2 is to be posted again");
        vm.assertEq(distributor.pendingRoot(1).root, keccak256("1"), "the one before stands");
        vm.assertEq(token.balanceOf(address(distributor)), balance, "money stays");
        vm.assertEq(token.balanceOf(guardian), 0, "nothing for the guardian");
        vm.expectRevert(abi.encodeWithSelector(EpochDistributor.NotPending.selector, 3));
        distributor.pendingRoot(3);
    }

    function test_what_was_paid_in_for_a_dropped_epoch_counts_towards_the_next() public {
        post(keccak256("wrong"), 500);
        vm.prank(guardian);
        distributor.dispute(0);
        uint256 before = token.balanceOf(poster);
        Statement memory right = ladder(4, 60);
        post(right);
        vm.assertEq(before - token.balanceOf(poster), 0, "mint covers the rest exactly");
        vm.assertEq(funded(), 600, "500 were there, 100 were pulled");
        vm.assertEq(token.balanceOf(address(distributor)), 600, "balance");
    }

    function test_the_guardian_cannot_stop_a_final_root() public {
        Statement memory s = ladder(4, 10);
        settle(s);
        vm.expectRevert(abi.encodeWithSelector(EpochDistributor.NotPending.selector, 0));
        vm.prank(guardian);
        distributor.dispute(0);
        claim(s, 0);
    }

    function test_the_guardian_cannot_stop_a_root_whose_window_is_over() public {
        post(ladder(4, 10));
        vm.warp(block.timestamp + WINDOW);
        vm.expectPartialRevert(EpochDistributor.WindowOver.selector);
        vm.prank(guardian);
        distributor.dispute(0);
    }

    function test_only_the_guardian_disputes() public {
        post(ladder(4, 10));
        bytes32 role = distributor.GUARDIAN_ROLE();
        address[3] memory others = [admin, poster, stranger];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, others[i], role)
            );
            vm.prank(others[i]);
            distributor.dispute(0);
        }
    }

    function test_a_dispute_of_a_newer_root_leaves_claims_of_the_final_one() public {
        Statement memory s = ladder(4, 10);
        settle(s);
        post(ladder(4, 20));
        vm.prank(guardian);
        distributor.dispute(1);
        claim(s, 3);
        vm.assertEq(token.balanceOf(accountOf(3)), 40, "paid under the final root");
    }

    // ---- data that nobody has --------------------------------------------------------------------------------------

    function test_an_epoch_whose_data_is_not_published_is_dropped_and_the_final_one_pays_on() public {
        Statement memory s = ladder(4, 10);
        settle(s);
        post(keccak256("nobody can rebuild this"), 500);
        vm.prank(guardian);
        distributor.dispute(1);
        vm.warp(block.timestamp + WINDOW);
        vm.expectRevert(EpochDistributor.NothingPending.selector);
        distributor.finalize(1);
        for (uint256 i = 0; i < 4; ++i) {
            claim(s, i);
        }
        vm.assertEq(totalClaimed(), s.total, "all are paid from the data that is there");
    }

    /// @dev While such a root is the final one nobody can prove anything; nothing is lost, as amounts are cumulative.
    function test_an_epoch_whose_data_was_lost_after_its_window_is_made_good_by_the_next() public {
        Statement memory s = ladder(4, 10);
        settle(s);
        claim(s, 0);
        uint256 epoch = post(keccak256("lost"), 200);
        vm.warp(block.timestamp + WINDOW);
        distributor.finalize(epoch);
        bytes32[] memory proof = proofOf(s, 1);
        vm.expectRevert(EpochDistributor.WrongProof.selector);
        distributor.claim(s.ids[1], s.amounts[1], proof);
        Statement memory next = ladder(4, 25);
        settle(next);
        for (uint256 i = 0; i < 4; ++i) {
            claim(next, i);
            vm.assertEq(token.balanceOf(accountOf(i)), 25 * (i + 1), "everything since the beginning");
        }
    }

    // ---- money in --------------------------------------------------------------------------------------------------

    function testFuzz_posting_pulls_exactly_what_is_lacking(uint96 ahead, uint96 total) public {
        mint(stranger, ahead);
        vm.startPrank(stranger);
        token.approve(address(distributor), ahead);
        distributor.fund(ahead);
        vm.stopPrank();
        mint(poster, total);
        bytes32 head = provenance.head();
        vm.prank(poster);
        distributor.post(0, keccak256("root"), total, head, DATA);
        uint256 lacking = total > ahead ? total - ahead : 0;
        vm.assertEq(total - token.balanceOf(poster), lacking, "pulled");
        vm.assertEq(funded(), ahead + lacking, "funded");
        vm.assertEq(token.balanceOf(address(distributor)), ahead + lacking, "balance");
    }

    function test_a_poster_who_cannot_pay_cannot_post() public {
        bytes32 head = provenance.head();
        vm.expectRevert();
        vm.prank(poster);
        distributor.post(0, keccak256("root"), 100, head, DATA);
        vm.assertEq(nextEpoch(), 0, "no epoch");
    }

    function test_a_donation_is_not_counted_as_funding() public {
        mint(address(distributor), 1_000);
        Statement memory s = ladder(4, 10);
        settle(s);
        vm.assertEq(funded(), 100, "the donation is not in the books");
        vm.assertEq(token.balanceOf(address(distributor)), 1_100, "it lies there");
        for (uint256 i = 0; i < 4; ++i) {
            claim(s, i);
        }
        vm.assertEq(token.balanceOf(address(distributor)), 1_000, "and stays there");
    }

    function test_forced_ether_changes_nothing() public {
        vm.deal(address(this), 1 ether);
        new ForcedSender{value: 1 ether}(payable(address(distributor)));
        vm.assertEq(address(distributor).balance, 1 ether, "ether arrived");
        Statement memory s = ladder(4, 10);
        settle(s);
        claim(s, 0);
        vm.assertEq(funded(), 100, "books");
        (bool taken,) = address(distributor).call{value: 0}("");
        vm.assertFalse(taken, "no other way in");
    }

    /// @dev From outside, so that a failed deployment can be expected.
    function deployed(address[3] memory roles, uint64 silence) external returns (EpochDistributor) {
        return newDistributor(token, roles, silence);
    }

    function _tried(address who, bytes memory data) private returns (bool done) {
        vm.prank(who);
        (done,) = address(distributor).call(data);
    }
}
