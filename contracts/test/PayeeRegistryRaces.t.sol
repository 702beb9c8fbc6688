// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EpochDistributor} from "../src/EpochDistributor.sol";
import {PayeeRegistry} from "../src/PayeeRegistry.sol";
import {RoyaltyPool} from "../src/RoyaltyPool.sol";
import {Signing} from "./base/Signing.sol";
import {PlainToken} from "./mocks/HostileTokens.sol";

/// @notice Holder, thief and community at once; and that whatever they do no money is stranded, lost or made.
contract PayeeRegistryRacesTest is Signing {
    address private fresh = account("fresh");
    address private bad = account("thief's account");

    function setUp() public {
        build(new PlainToken(), 4);
    }

    // ---- races -----------------------------------------------------------------------------------------------------

    function test_the_holders_request_stands_against_two_of_three_and_falls_to_all() public {
        askByHolder(0, bad);
        bytes[] memory list = signatures(communityDigest(idOf(0), fresh, block.timestamp), TWO_SIGN);
        vm.expectRevert(abi.encodeWithSelector(PayeeRegistry.RotationPending.selector, idOf(0)));
        payees.requestRotationByCommunity(idOf(0), fresh, block.timestamp, list);
        askByCommunity(idOf(0), fresh, ALL_SIGN);
        waitAndComplete(idOf(0));
        vm.assertEq(payees.accountOf(idOf(0)), fresh, "all members prevail");
    }

    function test_two_of_three_replace_their_own_request_but_not_one_of_all() public {
        askByCommunity(idOf(0), bad, TWO_SIGN);
        askByCommunity(idOf(0), fresh, TWO_SIGN);
        (address pending,,,) = payees.rotationOf(idOf(0));
        vm.assertEq(pending, fresh, "replaced");
        askByCommunity(idOf(0), fresh, ALL_SIGN);
        bytes[] memory list = signatures(communityDigest(idOf(0), bad, block.timestamp), TWO_SIGN);
        vm.expectRevert(abi.encodeWithSelector(PayeeRegistry.RotationPending.selector, idOf(0)));
        payees.requestRotationByCommunity(idOf(0), bad, block.timestamp, list);
    }

    function test_a_thief_with_the_holders_key_cannot_make_the_members_signatures_stale() public {
        bytes[] memory list = signatures(communityDigest(idOf(0), fresh, block.timestamp), ALL_SIGN);
        // The thief sees them on their way and acts first, as often as wanted.
        for (uint256 i = 0; i < 3; ++i) {
            askByHolder(0, bad);
            vm.prank(accountOf(0));
            payees.cancelRotation(idOf(0), block.timestamp, "");
        }
        askByHolder(0, bad);
        payees.requestRotationByCommunity(idOf(0), fresh, block.timestamp, list);
        waitAndComplete(idOf(0));
        vm.assertEq(payees.accountOf(idOf(0)), fresh, "all members prevail");
    }

    function test_members_cannot_make_the_holders_veto_stale() public {
        bytes memory veto = signed(keyOf(0), cancelDigest(idOf(0), 0, block.timestamp));
        for (uint256 i = 0; i < 3; ++i) {
            askByCommunity(idOf(0), bad, TWO_SIGN);
        }
        payees.cancelRotation(idOf(0), block.timestamp, veto);
        (, uint64 readyAt,,) = payees.rotationOf(idOf(0));
        vm.assertEq(readyAt, 0, "vetoed");
    }

    function test_what_all_signed_is_void_once_the_holder_has_moved() public {
        uint256 deadline = block.timestamp + 30 days;
        bytes[] memory list = signatures(communityDigest(idOf(0), bad, deadline), ALL_SIGN);
        askByHolder(0, fresh);
        waitAndComplete(idOf(0));
        vm.expectPartialRevert(PayeeRegistry.WrongSignature.selector);
        payees.requestRotationByCommunity(idOf(0), bad, deadline, list);
    }

    function test_the_old_holders_signatures_are_void_after_a_rotation() public {
        uint256 deadline = block.timestamp + 30 days;
        askByCommunity(idOf(0), fresh, TWO_SIGN);
        bytes memory back = signed(keyOf(0), rotationDigest(idOf(0), bad, 0, deadline));
        bytes memory veto = signed(keyOf(0), cancelDigest(idOf(0), 0, deadline));
        waitAndComplete(idOf(0));
        vm.expectPartialRevert(PayeeRegistry.WrongSignature.selector);
        payees.requestRotation(idOf(0), bad, deadline, back);
        vm.expectPartialRevert(PayeeRegistry.WrongSignature.selector);
        payees.cancelRotation(idOf(0), deadline, veto);
    }

    function test_a_rotation_asked_for_by_members_since_replaced_still_completes_or_is_vetoed() public {
        askByCommunity(idOf(0), fresh, TWO_SIGN);
        address[] memory others = new address[](1);
        others[0] = stranger;
        changeMembers(others, 1, TWO_SIGN);
        uint256 before = vm.snapshotState();
        waitAndComplete(idOf(0));
        vm.assertEq(payees.accountOf(idOf(0)), fresh, "completed");
        vm.revertToState(before);
        vm.prank(accountOf(0));
        payees.cancelRotation(idOf(0), block.timestamp, "");
    }

    // ---- money -----------------------------------------------------------------------------------------------------

    /// @dev The key is lost with money due in both contracts; the community moves the payee, and every unit arrives.
    function testFuzz_a_lost_key_strands_no_money(uint96 streamed, uint96 paid, bool before) public {
        streamed = uint96(between(streamed, 1, type(uint96).max));
        paid = uint96(between(paid, 1, type(uint96).max));
        RoyaltyPool pool = _pool();
        if (before) askByCommunity(idOf(0), fresh, TWO_SIGN);
        _tip(pool, paid);
        uint256[] memory amounts = new uint256[](2);
        (amounts[0], amounts[1]) = (streamed, 7);
        Statement memory s = statement(amounts);
        settle(s);
        if (!before) askByCommunity(idOf(0), fresh, TWO_SIGN);
        waitAndComplete(idOf(0));
        vm.assertEq(pool.balanceOf(idOf(0)), paid, "a rotation changes no amount in the pool");
        vm.assertEq(distributor.claimed(idOf(0)), 0, "nor in the distributor");
        vm.prank(stranger);
        claim(s, 0);
        vm.prank(stranger);
        pool.withdraw(idOf(0));
        vm.assertEq(token.balanceOf(fresh), uint256(streamed) + paid, "all of it arrives");
        vm.assertEq(token.balanceOf(accountOf(0)), 0, "none at the lost key");
        vm.expectRevert(abi.encodeWithSelector(EpochDistributor.NothingDue.selector, idOf(0)));
        claim(s, 0);
        vm.expectRevert(abi.encodeWithSelector(RoyaltyPool.NothingDue.selector, idOf(0)));
        pool.withdraw(idOf(0));
    }

    /// @dev Anybody may claim for anybody: without the hold, a stranger could send all of it to the lost key.
    function test_while_the_community_asks_nobody_can_pay_to_the_account_that_may_be_lost() public {
        RoyaltyPool pool = _pool();
        _tip(pool, 40);
        Statement memory s = ladder(4, 100);
        settle(s);
        askByCommunity(idOf(0), fresh, TWO_SIGN);
        vm.assertTrue(payees.isHeld(idOf(0)), "held");
        vm.expectRevert(abi.encodeWithSelector(EpochDistributor.PayeeHeld.selector, idOf(0)));
        claim(s, 0);
        vm.expectRevert(abi.encodeWithSelector(RoyaltyPool.PayeeHeld.selector, idOf(0)));
        pool.withdraw(idOf(0));
        bytes32[] memory ids = new bytes32[](1);
        ids[0] = idOf(0);
        vm.expectEmit(true, true, true, true, address(pool));
        emit RoyaltyPool.WithdrawalFailed(idOf(0), address(0), 40);
        pool.withdrawMany(ids);
        EpochDistributor.Claim[] memory many = new EpochDistributor.Claim[](2);
        many[0] = EpochDistributor.Claim(idOf(0), s.amounts[0], proofOf(s, 0));
        many[1] = EpochDistributor.Claim(idOf(1), s.amounts[1], proofOf(s, 1));
        vm.expectEmit(true, true, true, true, address(distributor));
        emit EpochDistributor.ClaimFailed(idOf(0), address(0), 100);
        distributor.claimMany(many);
        vm.assertEq(token.balanceOf(accountOf(0)), 0, "none at the old account");
        vm.assertEq(token.balanceOf(accountOf(1)), s.amounts[1], "the others are paid");
        waitAndComplete(idOf(0));
        claim(s, 0);
        pool.withdraw(idOf(0));
        vm.assertEq(token.balanceOf(fresh), 140, "all of it at the new one");
    }

    function test_a_veto_ends_the_hold() public {
        Statement memory s = ladder(4, 100);
        settle(s);
        askByCommunity(idOf(0), bad, TWO_SIGN);
        vm.prank(accountOf(0));
        payees.cancelRotation(idOf(0), block.timestamp, "");
        vm.assertFalse(payees.isHeld(idOf(0)), "free");
        claim(s, 0);
        vm.assertEq(token.balanceOf(accountOf(0)), 100, "paid to the holder");
    }

    function test_money_that_is_held_back_does_not_expire() public {
        Statement memory s = ladder(4, 100);
        settle(s);
        distributor.giveNotice(idOf(0), s.amounts[0], proofOf(s, 0));
        vm.warp(block.timestamp + NOTICE);
        askByCommunity(idOf(0), fresh, TWO_SIGN);
        vm.expectRevert(abi.encodeWithSelector(EpochDistributor.PayeeHeld.selector, idOf(0)));
        distributor.expire(idOf(0));
        waitAndComplete(idOf(0));
        claim(s, 0);
        vm.assertEq(token.balanceOf(fresh), 100, "claimed after the rotation");
    }

    /// @dev Whoever was held back could not claim: otherwise the notice would be carried out in the second the hold ends.
    function testFuzz_after_a_hold_the_whole_notice_runs_anew(uint256 asked, bool vetoed, uint256 waited) public {
        Statement memory s = ladder(4, 100);
        settle(s);
        distributor.giveNotice(idOf(0), s.amounts[0], proofOf(s, 0));
        vm.warp(block.timestamp + between(asked, 0, 2 * uint256(NOTICE)));
        askByCommunity(idOf(0), fresh, TWO_SIGN);
        if (vetoed) {
            vm.prank(accountOf(0));
            payees.cancelRotation(idOf(0), block.timestamp, "");
        } else {
            waitAndComplete(idOf(0));
        }
        vm.assertEq(payees.openSince(idOf(0)), block.timestamp, "when the hold ended");
        uint256 dueAt = block.timestamp + NOTICE;
        waited = between(waited, 0, 2 * uint256(NOTICE));
        vm.warp(block.timestamp + waited);
        if (waited < NOTICE) vm.expectRevert(abi.encodeWithSelector(EpochDistributor.NoticeOpen.selector, dueAt));
        distributor.expire(idOf(0));
        vm.assertEq(token.balanceOf(fundAccount), waited < NOTICE ? 0 : 100, "the community's fund");
    }

    function test_the_holder_s_own_rotation_does_not_put_expiry_off() public {
        Statement memory s = ladder(4, 100);
        settle(s);
        distributor.giveNotice(idOf(0), s.amounts[0], proofOf(s, 0));
        askByHolder(0, fresh);
        waitAndComplete(idOf(0));
        vm.assertEq(payees.openSince(idOf(0)), 0, "never held back");
        vm.warp(block.timestamp + NOTICE - ROTATION_DELAY);
        distributor.expire(idOf(0));
        vm.assertEq(token.balanceOf(fundAccount), 100, "due as announced");
    }

    function test_one_member_alone_cannot_pass_over_a_veto() public {
        address[] memory one = new address[](1);
        one[0] = vm.addr(memberKey(0));
        changeMembers(one, 1, ALL_SIGN);
        bytes[] memory list = new bytes[](1);
        list[0] = signed(memberKey(0), communityDigest(idOf(0), bad, block.timestamp));
        payees.requestRotationByCommunity(idOf(0), bad, block.timestamp, list);
        vm.prank(accountOf(0));
        payees.cancelRotation(idOf(0), block.timestamp, "");
        vm.assertEq(payees.accountOf(idOf(0)), accountOf(0), "vetoed");
    }

    function test_a_claim_between_request_and_completion_goes_to_the_old_account_and_is_not_paid_twice() public {
        Statement memory first = ladder(4, 100);
        settle(first);
        askByHolder(0, fresh);
        claim(first, 0);
        waitAndComplete(idOf(0));
        Statement memory second = ladder(4, 150);
        settle(second);
        claim(second, 0);
        vm.assertEq(token.balanceOf(accountOf(0)), 100, "before");
        vm.assertEq(token.balanceOf(fresh), 50, "after");
        vm.assertEq(distributor.claimed(idOf(0)), 150, "in all");
    }

    function test_a_funds_own_key_is_replaced_where_the_fund_belongs_to_the_community() public {
        bytes32 fund = keccak256("fund of community 2");
        vm.startPrank(registrar);
        payees.createCommunity(2, members(), THRESHOLD, fund);
        payees.registerPayees(row(fund, fundAccount, 2));
        vm.stopPrank();
        askByCommunity(fund, fresh, TWO_SIGN);
        waitAndComplete(fund);
        vm.assertEq(payees.accountOf(payees.fundOf(2)), fresh, "the fund moved");
    }

    function _pool() private returns (RoyaltyPool pool) {
        pool = new RoyaltyPool(token, payees, provenance, RoyaltyPool.Rule.LAP, true, 0);
        bytes memory record = _record();
        bytes32 head = provenance.head();
        vm.prank(registrar);
        provenance.registerBatch(head, record);
        provenance.open(0, 0, record, new bytes32[](0));
        pool.open(0, record);
    }

    function _tip(RoyaltyPool pool, uint256 amount) private {
        mint(address(this), amount);
        token.approve(address(pool), amount);
        pool.pay(0, amount);
    }

    function _record() private pure returns (bytes memory) {
        return abi.encodePacked(
            keccak256("song"), bytes32(0), COMMUNITY, uint8(31), uint32(0), uint8(0), uint8(1), idOf(0), uint16(10_000)
        );
    }
}
