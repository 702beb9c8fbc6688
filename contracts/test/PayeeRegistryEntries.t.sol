// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {PayeeRegistry} from "../src/PayeeRegistry.sol";
import {Signing} from "./base/Signing.sol";
import {PlainToken} from "./mocks/HostileTokens.sol";
import {Wallet} from "./mocks/Wallets.sol";

/// @notice How payees and communities come in, and how a community's members change.
contract PayeeRegistryEntriesTest is Signing {
    bytes32 private constant NEW_ID = keccak256("a payee who is not there yet");

    function setUp() public {
        build(new PlainToken(), 3);
    }

    // ---- payees ----------------------------------------------------------------------------------------------------

    function testFuzz_a_row_is_read_back_as_it_was_packed(bytes32 id, address where, uint32 community) public {
        if (community > 1) create(community);
        vm.assume(where != address(0) && payees.accountOf(id) == address(0));
        vm.expectEmit(true, true, true, true, address(payees));
        emit PayeeRegistry.PayeeRegistered(id, where, community);
        vm.prank(registrar);
        payees.registerPayees(row(id, where, community));
        vm.assertEq(payees.accountOf(id), where, "account");
        vm.assertEq(payees.communityOf(id), community, "community");
    }

    function test_no_payee_of_a_community_that_is_not_there() public {
        vm.expectRevert(abi.encodeWithSelector(PayeeRegistry.UnknownCommunity.selector, 9));
        vm.prank(registrar);
        payees.registerPayees(row(NEW_ID, stranger, 9));
        create(9);
        vm.prank(registrar);
        payees.registerPayees(row(NEW_ID, stranger, 9));
        vm.assertEq(payees.accountOf(NEW_ID), stranger, "entered after its community");
    }

    function create(uint32 community) private {
        vm.prank(registrar);
        payees.createCommunity(community, members(), THRESHOLD, FUND);
    }

    function test_many_rows_at_once_keep_their_order() public {
        bytes memory rows;
        bytes32[] memory ids = new bytes32[](5);
        for (uint256 i = 0; i < 5; ++i) {
            ids[i] = idOf(100 + i);
            rows = bytes.concat(rows, row(ids[i], accountOf(100 + i), 0));
        }
        vm.prank(registrar);
        payees.registerPayees(rows);
        address[] memory found = payees.accountsOf(ids);
        for (uint256 i = 0; i < 5; ++i) {
            vm.assertEq(found[i], accountOf(100 + i), "account");
        }
    }

    function test_a_binding_cannot_be_entered_a_second_time() public {
        vm.expectRevert(abi.encodeWithSelector(PayeeRegistry.PayeeExists.selector, idOf(0)));
        vm.prank(registrar);
        payees.registerPayees(row(idOf(0), stranger, COMMUNITY));
    }

    function test_an_id_twice_in_one_call_undoes_all_of_it() public {
        bytes memory rows = bytes.concat(row(NEW_ID, stranger, 0), row(NEW_ID, admin, 0));
        vm.expectRevert(abi.encodeWithSelector(PayeeRegistry.PayeeExists.selector, NEW_ID));
        vm.prank(registrar);
        payees.registerPayees(rows);
        vm.assertEq(payees.accountOf(NEW_ID), address(0), "nothing was entered");
    }

    function test_no_payee_without_an_account() public {
        vm.expectRevert(PayeeRegistry.ZeroAccount.selector);
        vm.prank(registrar);
        payees.registerPayees(row(NEW_ID, address(0), COMMUNITY));
    }

    function testFuzz_half_a_row_is_refused(uint8 cut) public {
        vm.assume(cut % 56 != 0);
        bytes memory rows = new bytes(cut);
        vm.expectRevert(abi.encodeWithSelector(PayeeRegistry.WrongLength.selector, cut));
        vm.prank(registrar);
        payees.registerPayees(rows);
    }

    function test_only_the_registrar_enters() public {
        bytes32 role = payees.REGISTRAR_ROLE();
        address[4] memory others = [admin, poster, guardian, stranger];
        for (uint256 i = 0; i < others.length; ++i) {
            bytes memory refusal =
                abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, others[i], role);
            vm.startPrank(others[i]);
            vm.expectRevert(refusal);
            payees.registerPayees(row(NEW_ID, others[i], 0));
            vm.expectRevert(refusal);
            payees.createCommunity(2, members(), 1, FUND);
            vm.stopPrank();
        }
    }

    // ---- communities -----------------------------------------------------------------------------------------------

    function test_a_community_is_read_back_as_entered() public view {
        (address[] memory who, uint8 threshold) = payees.membersOf(COMMUNITY);
        vm.assertEq(who, members(), "members");
        vm.assertEq(threshold, THRESHOLD, "threshold");
        vm.assertEq(payees.fundOf(COMMUNITY), FUND, "fund");
        vm.assertFalse(payees.isSplit(COMMUNITY), "whole");
    }

    function test_a_community_is_entered_once_and_never_zero() public {
        vm.startPrank(registrar);
        vm.expectRevert(abi.encodeWithSelector(PayeeRegistry.CommunityExists.selector, COMMUNITY));
        payees.createCommunity(COMMUNITY, members(), 1, FUND);
        vm.expectRevert(abi.encodeWithSelector(PayeeRegistry.UnknownCommunity.selector, 0));
        payees.createCommunity(0, members(), 1, FUND);
        vm.stopPrank();
    }

    function testFuzz_the_threshold_is_between_one_and_all(uint8 threshold, uint8 count) public {
        count = uint8(between(count, 0, 40));
        address[] memory who = _many(count);
        bool fits = threshold > 0 && threshold <= count && count <= 32;
        if (!fits) vm.expectRevert(abi.encodeWithSelector(PayeeRegistry.WrongThreshold.selector, threshold, count));
        vm.prank(registrar);
        payees.createCommunity(7, who, threshold, FUND);
    }

    function test_nobody_is_a_member_twice_and_nobody_is_no_member() public {
        address[] memory who = _many(3);
        who[2] = who[0];
        vm.startPrank(registrar);
        vm.expectRevert(abi.encodeWithSelector(PayeeRegistry.MemberTwice.selector, who[0]));
        payees.createCommunity(7, who, 2, FUND);
        who[2] = address(0);
        vm.expectRevert(PayeeRegistry.ZeroAccount.selector);
        payees.createCommunity(7, who, 2, FUND);
        vm.stopPrank();
    }

    // ---- m of n ----------------------------------------------------------------------------------------------------

    function testFuzz_enough_members_and_nobody_else_approve(uint8 who, bytes32 digest) public {
        who %= 8;
        uint256 count = (who & 1) + ((who >> 1) & 1) + (who >> 2);
        bytes[] memory list = signatures(digest, who);
        if (count < THRESHOLD) {
            vm.expectRevert(abi.encodeWithSelector(PayeeRegistry.TooFewSignatures.selector, THRESHOLD, count));
        }
        uint256 given = payees.requireApproved(COMMUNITY, digest, list);
        if (count >= THRESHOLD) vm.assertEq(given, count, "signatures");
    }

    function test_a_member_signs_once_and_in_the_own_place() public {
        bytes32 digest = keccak256("digest");
        bytes[] memory list = new bytes[](3);
        list[0] = signed(memberKey(0), digest);
        list[1] = list[0];
        vm.expectRevert(abi.encodeWithSelector(PayeeRegistry.WrongSignature.selector, digest));
        payees.requireApproved(COMMUNITY, digest, list);
    }

    function test_one_wrong_signature_among_enough_right_ones_is_refused() public {
        bytes32 digest = keccak256("digest");
        bytes[] memory list = signatures(digest, TWO_SIGN);
        list[2] = signed(memberKey(2), keccak256("another digest"));
        vm.expectRevert(abi.encodeWithSelector(PayeeRegistry.WrongSignature.selector, digest));
        payees.requireApproved(COMMUNITY, digest, list);
    }

    function test_the_malleable_twin_of_a_signature_is_refused() public {
        bytes32 digest = keccak256("digest");
        bytes[] memory list = signatures(digest, TWO_SIGN);
        list[1] = malleable(memberKey(1), digest);
        vm.expectRevert(abi.encodeWithSelector(PayeeRegistry.WrongSignature.selector, digest));
        payees.requireApproved(COMMUNITY, digest, list);
    }

    function testFuzz_noise_is_no_signature(bytes memory noise) public {
        vm.assume(noise.length > 0);
        bytes32 digest = keccak256("digest");
        bytes[] memory list = signatures(digest, TWO_SIGN);
        list[2] = noise;
        vm.expectRevert(abi.encodeWithSelector(PayeeRegistry.WrongSignature.selector, digest));
        payees.requireApproved(COMMUNITY, digest, list);
    }

    function testFuzz_there_is_one_place_for_each_member(uint8 count) public {
        vm.assume(count != 3);
        vm.expectRevert(abi.encodeWithSelector(PayeeRegistry.TooFewSignatures.selector, 3, count));
        payees.requireApproved(COMMUNITY, keccak256("digest"), new bytes[](count));
    }

    function testFuzz_an_unknown_community_approves_nothing(uint32 community) public {
        vm.assume(community != COMMUNITY);
        vm.expectRevert(abi.encodeWithSelector(PayeeRegistry.UnknownCommunity.selector, community));
        payees.requireApproved(community, keccak256("digest"), new bytes[](0));
    }

    function test_wallets_that_are_contracts_sign_for_a_community() public {
        Wallet wallet = new Wallet(vm.addr(memberKey(0)));
        address[] memory who = new address[](2);
        (who[0], who[1]) = (address(wallet), vm.addr(memberKey(1)));
        vm.prank(registrar);
        payees.createCommunity(2, who, 2, FUND);
        bytes32 digest = keccak256("digest");
        bytes[] memory list = new bytes[](2);
        (list[0], list[1]) = (signed(memberKey(0), digest), signed(memberKey(1), digest));
        vm.assertEq(payees.requireApproved(2, digest, list), 2, "signatures");
        for (uint8 answer = 1; answer <= uint8(type(Wallet.Answer).max); ++answer) {
            wallet.setAnswer(Wallet.Answer(answer));
            vm.expectRevert(abi.encodeWithSelector(PayeeRegistry.WrongSignature.selector, digest));
            payees.requireApproved(2, digest, list);
        }
    }

    // ---- change of members -----------------------------------------------------------------------------------------

    function test_members_change_members_and_the_old_ones_sign_no_more() public {
        address[] memory fresh = _many(3);
        changeMembers(fresh, 1, TWO_SIGN);
        (address[] memory who, uint8 threshold) = payees.membersOf(COMMUNITY);
        vm.assertEq(who, fresh, "members");
        vm.assertEq(threshold, 1, "threshold");
        vm.assertEq(payees.fundOf(COMMUNITY), FUND, "the fund stays");
        bytes32 digest = keccak256("digest");
        vm.expectRevert(abi.encodeWithSelector(PayeeRegistry.WrongSignature.selector, digest));
        payees.requireApproved(COMMUNITY, digest, signatures(digest, ALL_SIGN));
    }

    function test_a_change_of_members_cannot_be_replayed_after_a_change_back() public {
        address[] memory fresh = members();
        fresh[2] = stranger;
        bytes32 digest = membersDigest(COMMUNITY, fresh, 2, 0, block.timestamp);
        bytes[] memory list = signatures(digest, TWO_SIGN);
        payees.changeMembers(COMMUNITY, fresh, 2, block.timestamp, list);
        changeMembers(members(), 2, TWO_SIGN);
        vm.expectPartialRevert(PayeeRegistry.WrongSignature.selector);
        payees.changeMembers(COMMUNITY, fresh, 2, block.timestamp, list);
    }

    function test_a_change_of_members_holds_for_its_community_list_threshold_and_time() public {
        address[] memory fresh = _many(3);
        address[] memory forged = _many(3);
        forged[0] = stranger;
        uint256 deadline = block.timestamp + 10;
        bytes[] memory list = signatures(membersDigest(COMMUNITY, fresh, 2, 0, deadline), ALL_SIGN);
        vm.prank(registrar);
        payees.createCommunity(2, members(), 2, FUND);
        vm.expectPartialRevert(PayeeRegistry.WrongSignature.selector);
        payees.changeMembers(2, fresh, 2, deadline, list);
        vm.expectPartialRevert(PayeeRegistry.WrongSignature.selector);
        payees.changeMembers(COMMUNITY, forged, 2, deadline, list);
        vm.expectPartialRevert(PayeeRegistry.WrongSignature.selector);
        payees.changeMembers(COMMUNITY, fresh, 1, deadline, list);
        vm.expectPartialRevert(PayeeRegistry.WrongSignature.selector);
        payees.changeMembers(COMMUNITY, fresh, 2, deadline + 1, list);
        vm.warp(deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(PayeeRegistry.SignatureExpired.selector, deadline));
        payees.changeMembers(COMMUNITY, fresh, 2, deadline, list);
        vm.warp(deadline);
        payees.changeMembers(COMMUNITY, fresh, 2, deadline, list);
    }

    function test_a_change_by_all_keeps_the_community_whole_and_one_by_fewer_splits_it_for_good() public {
        changeMembers(members(), 2, ALL_SIGN);
        vm.assertFalse(payees.isSplit(COMMUNITY), "all signed");
        changeMembers(members(), 2, TWO_SIGN);
        vm.assertTrue(payees.isSplit(COMMUNITY), "two of three signed");
        changeMembers(members(), 2, ALL_SIGN);
        vm.assertTrue(payees.isSplit(COMMUNITY), "for good");
    }

    function _many(uint256 count) private pure returns (address[] memory who) {
        who = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            who[i] = accountOf(1000 + i);
        }
    }
}
