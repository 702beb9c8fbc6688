// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {EpochDistributor} from "../../src/EpochDistributor.sol";
import {World} from "../base/World.sol";
import {HostileToken} from "../mocks/HostileTokens.sol";

/// @notice When the poster falls silent, the guardian drops everything, or money lies unclaimed.
contract WindUpTest is World {
    uint256 private constant NUM_PAYEES = 5;
    HostileToken private hostile;

    function setUp() public {
        hostile = new HostileToken();
        build(hostile, NUM_PAYEES);
    }

    // ---- the escape hatch ------------------------------------------------------------------------------------------

    function testFuzz_anybody_winds_up_after_the_silence_and_not_before(uint256 passed) public {
        settle(ladder(4, 10));
        uint256 until = block.timestamp + SILENCE;
        passed = between(passed, 0, 2 * uint256(SILENCE));
        vm.warp(block.timestamp + passed);
        if (passed < SILENCE) vm.expectRevert(abi.encodeWithSelector(EpochDistributor.NotSilent.selector, until));
        vm.prank(stranger);
        distributor.windUp();
        (,,, bool isWoundUp) = distributor.state();
        vm.assertEq(isWoundUp, passed >= SILENCE, "wound up");
    }

    function testFuzz_the_pot_is_shared_along_the_final_root_and_never_exceeded(uint64[5] memory amounts, uint64 extra)
        public
    {
        Statement memory s = statement(_wide(amounts));
        settle(s);
        _fund(extra);
        vm.warp(block.timestamp + SILENCE);
        distributor.windUp();
        vm.assertEq(distributor.escapePot(), extra, "the pot is what is not owed yet");
        uint256 shared = 0;
        for (uint256 i = 0; i < NUM_PAYEES; ++i) {
            uint256 share = s.total == 0 ? 0 : uint256(extra) * amounts[i] / s.total;
            if (share == 0) vm.expectRevert(abi.encodeWithSelector(EpochDistributor.NothingDue.selector, idOf(i)));
            _escape(s, i);
            vm.assertEq(token.balanceOf(accountOf(i)), share, "floor(pot x cumulative / total)");
            shared += share;
        }
        vm.assertLe(shared, extra, "no more than the pot");
        if (s.total > 0) vm.assertLt(extra - shared, NUM_PAYEES, "dust is less than one unit a payee");
    }

    function test_claims_go_on_after_winding_up() public {
        Statement memory s = ladder(NUM_PAYEES, 10);
        settle(s);
        claim(s, 0);
        _fund(75);
        vm.warp(block.timestamp + SILENCE);
        distributor.windUp();
        for (uint256 i = 0; i < NUM_PAYEES; ++i) {
            _escape(s, i);
            if (i > 0) claim(s, i);
            vm.assertEq(token.balanceOf(accountOf(i)), 15 * (i + 1), "claim and share, in either order");
        }
        vm.assertEq(token.balanceOf(address(distributor)), 0, "all is paid out");
    }

    function test_a_share_is_paid_once() public {
        Statement memory s = ladder(NUM_PAYEES, 10);
        settle(s);
        _fund(150);
        vm.warp(block.timestamp + SILENCE);
        distributor.windUp();
        _escape(s, 2);
        vm.expectRevert(abi.encodeWithSelector(EpochDistributor.NothingDue.selector, idOf(2)));
        _escape(s, 2);
    }

    function test_no_share_before_winding_up_and_none_without_proof() public {
        Statement memory s = ladder(NUM_PAYEES, 10);
        settle(s);
        vm.expectRevert(EpochDistributor.NotWoundUp.selector);
        _escape(s, 0);
        _fund(150);
        vm.warp(block.timestamp + SILENCE);
        distributor.windUp();
        vm.expectRevert(EpochDistributor.WrongProof.selector);
        distributor.claimEscape(idOf(0), 150, proofOf(s, 0));
    }

    /// @dev Leaves may sum to more than the total where a root lies; the money owed to others is not touched for it.
    function test_a_lying_root_shares_out_no_more_than_the_pot() public {
        uint256[] memory amounts = new uint256[](2);
        (amounts[0], amounts[1]) = (100, 900);
        Statement memory s = statement(amounts);
        s.total = 100;
        settle(s);
        _fund(1_000);
        vm.warp(block.timestamp + SILENCE);
        distributor.windUp();
        vm.expectPartialRevert(EpochDistributor.AboveCeiling.selector);
        _escape(s, 1);
        _escape(s, 0);
        claim(s, 0);
        vm.assertEq(token.balanceOf(accountOf(0)), 1_100, "claim and share of the honest payee");
    }

    function test_nothing_enters_after_winding_up() public {
        settle(ladder(4, 10));
        vm.warp(block.timestamp + SILENCE);
        distributor.windUp();
        mint(poster, 500);
        bytes32 head = provenance.head();
        vm.startPrank(poster);
        vm.expectRevert(EpochDistributor.IsWoundUp.selector);
        distributor.post(1, keccak256("root"), 200, head, DATA);
        vm.expectRevert(EpochDistributor.IsWoundUp.selector);
        distributor.fund(1);
        vm.expectRevert(EpochDistributor.IsWoundUp.selector);
        distributor.windUp();
        vm.stopPrank();
        vm.expectRevert(EpochDistributor.NothingPending.selector);
        distributor.finalize(1);
    }

    function test_a_root_that_can_be_made_final_is_not_dropped_by_winding_up() public {
        settle(ladder(4, 10));
        uint256 epoch = post(ladder(4, 20));
        vm.warp(block.timestamp + SILENCE);
        vm.expectPartialRevert(EpochDistributor.NotSilent.selector);
        distributor.windUp();
        distributor.finalize(epoch);
        vm.expectPartialRevert(EpochDistributor.NotSilent.selector);
        distributor.windUp();
    }

    function test_a_guardian_who_drops_everything_only_brings_the_winding_up() public {
        Statement memory s = ladder(4, 10);
        settle(s);
        uint256 until = block.timestamp + SILENCE;
        while (block.timestamp < until) {
            uint256 epoch = post(ladder(4, 30));
            vm.prank(guardian);
            distributor.dispute(epoch);
            vm.warp(block.timestamp + WINDOW);
        }
        post(ladder(4, 30));
        distributor.windUp();
        vm.assertEq(distributor.escapePot(), 200, "what was paid in for dropped epochs");
        for (uint256 i = 0; i < 4; ++i) {
            claim(s, i);
            _escape(s, i);
            vm.assertEq(token.balanceOf(accountOf(i)), 30 * (i + 1), "no money is stranded");
        }
    }

    function test_wound_up_before_any_epoch_everybody_takes_back_what_was_paid_in() public {
        _fund(70);
        mint(poster, 30);
        vm.prank(poster);
        distributor.fund(30);
        vm.warp(block.timestamp + SILENCE);
        vm.expectRevert(EpochDistributor.NotWoundUp.selector);
        vm.prank(poster);
        distributor.takeBack();
        distributor.windUp();
        vm.prank(stranger);
        distributor.takeBack();
        vm.prank(poster);
        distributor.takeBack();
        vm.assertEq(token.balanceOf(stranger), 70, "the funder");
        vm.assertEq(token.balanceOf(poster), 30, "the poster");
        vm.expectPartialRevert(EpochDistributor.NothingDue.selector);
        vm.prank(poster);
        distributor.takeBack();
    }

    /// @dev A first epoch in which nobody earned anything is no ground for keeping what was paid in after it.
    function test_wound_up_after_an_epoch_of_nothing_money_goes_back_too() public {
        settle(ladder(4, 0));
        _fund(70);
        vm.warp(block.timestamp + SILENCE);
        distributor.windUp();
        vm.prank(stranger);
        distributor.takeBack();
        vm.assertEq(token.balanceOf(stranger), 70, "taken back");
    }

    function test_nothing_is_taken_back_once_an_epoch_paid_somebody() public {
        mint(poster, 100);
        vm.prank(poster);
        distributor.fund(100);
        settle(ladder(4, 10));
        vm.warp(block.timestamp + SILENCE);
        distributor.windUp();
        vm.expectPartialRevert(EpochDistributor.NothingDue.selector);
        vm.prank(poster);
        distributor.takeBack();
    }

    // ---- unclaimed money -------------------------------------------------------------------------------------------

    function testFuzz_unclaimed_money_goes_to_the_community_after_notice_and_not_before(uint256 passed) public {
        Statement memory s = ladder(NUM_PAYEES, 10);
        settle(s);
        vm.prank(stranger);
        distributor.giveNotice(s.ids[3], s.amounts[3], proofOf(s, 3));
        uint256 dueAt = block.timestamp + NOTICE;
        passed = between(passed, 0, 2 * uint256(NOTICE));
        vm.warp(block.timestamp + passed);
        if (passed < NOTICE) vm.expectRevert(abi.encodeWithSelector(EpochDistributor.NoticeOpen.selector, dueAt));
        vm.prank(stranger);
        distributor.expire(s.ids[3]);
        vm.assertEq(token.balanceOf(fundAccount), passed < NOTICE ? 0 : 40, "the community's fund");
    }

    function test_a_payee_who_claims_during_notice_loses_nothing() public {
        Statement memory s = ladder(NUM_PAYEES, 10);
        settle(s);
        distributor.giveNotice(s.ids[3], s.amounts[3], proofOf(s, 3));
        vm.warp(block.timestamp + NOTICE);
        claim(s, 3);
        vm.expectRevert(abi.encodeWithSelector(EpochDistributor.NothingDue.selector, s.ids[3]));
        distributor.expire(s.ids[3]);
        vm.assertEq(token.balanceOf(accountOf(3)), 40, "the payee");
    }

    function test_what_is_earned_after_notice_stays_the_payee_s() public {
        Statement memory s = ladder(NUM_PAYEES, 10);
        settle(s);
        distributor.giveNotice(s.ids[3], s.amounts[3], proofOf(s, 3));
        Statement memory later = ladder(NUM_PAYEES, 25);
        settle(later);
        vm.warp(block.timestamp + NOTICE);
        distributor.expire(s.ids[3]);
        vm.assertEq(token.balanceOf(fundAccount), 40, "what notice was given for");
        claim(later, 3);
        vm.assertEq(token.balanceOf(accountOf(3)), 60, "what came later");
        vm.expectRevert(abi.encodeWithSelector(EpochDistributor.NoNotice.selector, s.ids[3]));
        distributor.expire(s.ids[3]);
    }

    function test_a_standing_notice_is_not_replaced() public {
        Statement memory s = ladder(NUM_PAYEES, 10);
        settle(s);
        bytes32[] memory proof = proofOf(s, 3);
        distributor.giveNotice(s.ids[3], s.amounts[3], proof);
        uint256 dueAt = block.timestamp + NOTICE;
        vm.warp(block.timestamp + 1);
        vm.expectRevert(abi.encodeWithSelector(EpochDistributor.NoticeOpen.selector, dueAt));
        distributor.giveNotice(s.ids[3], s.amounts[3], proof);
    }

    function test_a_period_without_end_means_that_nothing_expires() public {
        bytes memory given = abi.encode(
            token, payees, provenance, [admin, poster, guardian], WINDOW, SILENCE, type(uint64).max
        );
        distributor = EpochDistributor(vm.deployCode("EpochDistributor.sol:EpochDistributor", given));
        vm.prank(poster);
        token.approve(address(distributor), type(uint256).max);
        Statement memory s = ladder(NUM_PAYEES, 10);
        settle(s);
        bytes32[] memory proof = proofOf(s, 3);
        uint256 dueAt = block.timestamp + type(uint64).max;
        vm.expectRevert(abi.encodeWithSelector(SafeCast.SafeCastOverflowedUintDowncast.selector, 64, dueAt));
        distributor.giveNotice(s.ids[3], s.amounts[3], proof);
    }

    function test_a_notice_that_came_to_nothing_makes_room_for_another() public {
        Statement memory s = ladder(NUM_PAYEES, 10);
        settle(s);
        distributor.giveNotice(s.ids[3], s.amounts[3], proofOf(s, 3));
        claim(s, 3);
        Statement memory later = ladder(NUM_PAYEES, 25);
        settle(later);
        distributor.giveNotice(later.ids[3], later.amounts[3], proofOf(later, 3));
        vm.warp(block.timestamp + NOTICE);
        distributor.expire(s.ids[3]);
        vm.assertEq(token.balanceOf(fundAccount), 60, "the rise since the claim");
    }

    function test_notice_needs_a_proof_something_due_and_a_community_s_fund() public {
        Statement memory s = ladder(NUM_PAYEES, 10);
        settle(s);
        bytes32[] memory proof = proofOf(s, 3);
        vm.expectRevert(EpochDistributor.WrongProof.selector);
        distributor.giveNotice(s.ids[3], s.amounts[3] + 1, proof);
        claim(s, 3);
        vm.expectRevert(abi.encodeWithSelector(EpochDistributor.NothingDue.selector, s.ids[3]));
        distributor.giveNotice(s.ids[3], s.amounts[3], proof);
        bytes32[] memory ids = new bytes32[](1);
        uint256[] memory amounts = new uint256[](1);
        (ids[0], amounts[0]) = (FUND, 500);
        Statement memory fundOnly = statement(ids, amounts);
        settle(fundOnly);
        vm.expectRevert(abi.encodeWithSelector(EpochDistributor.NoFund.selector, FUND));
        distributor.giveNotice(FUND, 500, new bytes32[](0));
    }

    function test_a_fund_that_cannot_receive_leaves_the_money_to_the_payee() public {
        Statement memory s = ladder(NUM_PAYEES, 10);
        settle(s);
        distributor.giveNotice(s.ids[3], s.amounts[3], proofOf(s, 3));
        vm.warp(block.timestamp + NOTICE);
        hostile.treat(fundAccount, HostileToken.Treatment.REVERTS);
        vm.expectRevert(abi.encodeWithSelector(HostileToken.Blocked.selector, fundAccount));
        distributor.expire(s.ids[3]);
        claim(s, 3);
        vm.assertEq(token.balanceOf(accountOf(3)), 40, "the payee");
    }

    function test_expiry_after_winding_up_pays_no_more_than_was_owed() public {
        Statement memory s = ladder(NUM_PAYEES, 10);
        settle(s);
        distributor.giveNotice(s.ids[3], s.amounts[3], proofOf(s, 3));
        vm.warp(block.timestamp + NOTICE);
        distributor.windUp();
        distributor.expire(s.ids[3]);
        vm.expectRevert(abi.encodeWithSelector(EpochDistributor.NothingDue.selector, s.ids[3]));
        claim(s, 3);
        vm.assertEq(totalClaimed(), 40, "once");
    }

    function _fund(uint256 amount) private {
        mint(stranger, amount);
        vm.startPrank(stranger);
        token.approve(address(distributor), amount);
        distributor.fund(amount);
        vm.stopPrank();
    }

    function _escape(Statement memory s, uint256 i) private {
        distributor.claimEscape(s.ids[i], s.amounts[i], proofOf(s, i));
    }

    function _wide(uint64[5] memory narrow) private pure returns (uint256[] memory wide) {
        wide = new uint256[](5);
        for (uint256 i = 0; i < 5; ++i) {
            wide[i] = narrow[i];
        }
    }
}
