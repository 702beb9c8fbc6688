// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PayeeRegistry} from "../src/PayeeRegistry.sol";
import {Signing} from "./base/Signing.sol";
import {PlainToken} from "./mocks/HostileTokens.sol";
import {Wallet} from "./mocks/Wallets.sol";

/// @notice How a payee's account changes: who may ask, who may object, what a signature is good for.
contract PayeeRegistryRotationTest is Signing {
    address private fresh = account("fresh");
    address private other = account("other");

    function setUp() public {
        build(new PlainToken(), 3);
    }

    // ---- the holder ------------------------------------------------------------------------------------------------

    function test_the_holder_moves_after_the_delay_and_not_before() public {
        vm.expectEmit(true, true, true, true, address(payees));
        emit PayeeRegistry.RotationRequested(idOf(0), fresh, block.timestamp + ROTATION_DELAY, false, false);
        askByHolder(0, fresh);
        uint256 readyAt = block.timestamp + ROTATION_DELAY;
        vm.warp(readyAt - 1);
        vm.expectRevert(abi.encodeWithSelector(PayeeRegistry.RotationNotReady.selector, readyAt));
        payees.completeRotation(idOf(0));
        vm.assertEq(payees.accountOf(idOf(0)), accountOf(0), "still the old account");
        vm.warp(readyAt);
        vm.prank(stranger);
        payees.completeRotation(idOf(0));
        vm.assertEq(payees.accountOf(idOf(0)), fresh, "the new account");
        vm.expectRevert(abi.encodeWithSelector(PayeeRegistry.NoRotation.selector, idOf(0)));
        payees.completeRotation(idOf(0));
    }

    function test_anybody_brings_what_the_holder_signed() public {
        bytes memory signature = signed(keyOf(0), rotationDigest(idOf(0), fresh, 0, block.timestamp));
        vm.prank(stranger);
        payees.requestRotation(idOf(0), fresh, block.timestamp, signature);
        waitAndComplete(idOf(0));
        vm.assertEq(payees.accountOf(idOf(0)), fresh, "the new account");
    }

    function testFuzz_nobody_else_asks_as_the_holder(uint256 key, address to) public {
        key = between(key, 1, 1 << 200);
        vm.assume(vm.addr(key) != accountOf(0));
        bytes memory signature = signed(key, rotationDigest(idOf(0), to, 0, block.timestamp));
        vm.expectPartialRevert(PayeeRegistry.WrongSignature.selector);
        vm.prank(vm.addr(key));
        payees.requestRotation(idOf(0), to, block.timestamp, signature);
    }

    function test_a_signature_holds_for_its_payee_account_nonce_and_deadline() public {
        uint256 deadline = block.timestamp + 10;
        bytes memory signature = signed(keyOf(0), rotationDigest(idOf(0), fresh, 0, deadline));
        vm.expectPartialRevert(PayeeRegistry.WrongSignature.selector);
        payees.requestRotation(idOf(1), fresh, deadline, signature);
        vm.expectPartialRevert(PayeeRegistry.WrongSignature.selector);
        payees.requestRotation(idOf(0), other, deadline, signature);
        vm.expectPartialRevert(PayeeRegistry.WrongSignature.selector);
        payees.requestRotation(idOf(0), fresh, deadline + 1, signature);
        vm.warp(deadline);
        payees.requestRotation(idOf(0), fresh, deadline, signature);
        vm.expectPartialRevert(PayeeRegistry.WrongSignature.selector);
        payees.requestRotation(idOf(0), fresh, deadline, signature);
        vm.warp(deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(PayeeRegistry.SignatureExpired.selector, deadline));
        payees.requestRotation(idOf(0), fresh, deadline, signature);
    }

    function test_a_signature_holds_on_its_chain_and_for_its_contract_only() public {
        bytes memory signature = signed(keyOf(0), rotationDigest(idOf(0), fresh, 0, block.timestamp));
        PayeeRegistry twin = new PayeeRegistry(admin, registrar, ROTATION_DELAY);
        vm.prank(registrar);
        twin.registerPayees(row(idOf(0), accountOf(0), 0));
        vm.expectPartialRevert(PayeeRegistry.WrongSignature.selector);
        twin.requestRotation(idOf(0), fresh, block.timestamp, signature);
        vm.chainId(block.chainid + 1);
        vm.expectPartialRevert(PayeeRegistry.WrongSignature.selector);
        payees.requestRotation(idOf(0), fresh, block.timestamp, signature);
    }

    function test_the_malleable_twin_of_the_holders_signature_is_refused() public {
        bytes memory signature = malleable(keyOf(0), rotationDigest(idOf(0), fresh, 0, block.timestamp));
        vm.expectPartialRevert(PayeeRegistry.WrongSignature.selector);
        payees.requestRotation(idOf(0), fresh, block.timestamp, signature);
    }

    function test_a_wallet_that_is_a_contract_holds_and_moves() public {
        Wallet wallet = new Wallet(accountOf(0));
        bytes32 id = keccak256("held by a wallet");
        vm.prank(registrar);
        payees.registerPayees(row(id, address(wallet), 0));
        bytes memory signature = signed(keyOf(0), rotationDigest(id, fresh, 0, block.timestamp));
        for (uint8 answer = 1; answer <= uint8(type(Wallet.Answer).max); ++answer) {
            wallet.setAnswer(Wallet.Answer(answer));
            vm.expectPartialRevert(PayeeRegistry.WrongSignature.selector);
            payees.requestRotation(id, fresh, block.timestamp, signature);
        }
        wallet.setAnswer(Wallet.Answer.HONEST);
        payees.requestRotation(id, fresh, block.timestamp, signature);
        waitAndComplete(id);
        vm.assertEq(payees.accountOf(id), fresh, "the new account");
    }

    function test_unknown_payees_and_no_account_are_refused() public {
        bytes32 unknown = keccak256("unknown");
        vm.expectRevert(abi.encodeWithSelector(PayeeRegistry.UnknownPayee.selector, unknown));
        payees.requestRotation(unknown, fresh, block.timestamp, "");
        vm.expectRevert(abi.encodeWithSelector(PayeeRegistry.UnknownPayee.selector, unknown));
        payees.cancelRotation(unknown, block.timestamp, "");
        vm.expectRevert(abi.encodeWithSelector(PayeeRegistry.UnknownCommunity.selector, 0));
        payees.requestRotationByCommunity(unknown, fresh, block.timestamp, new bytes[](0));
        vm.expectRevert(PayeeRegistry.ZeroAccount.selector);
        vm.prank(accountOf(0));
        payees.requestRotation(idOf(0), address(0), block.timestamp, "");
    }

    function test_the_holder_replaces_and_withdraws_the_own_request() public {
        askByHolder(0, other);
        askByHolder(0, fresh);
        (address pending,,,) = payees.rotationOf(idOf(0));
        vm.assertEq(pending, fresh, "the later request");
        vm.prank(accountOf(0));
        payees.cancelRotation(idOf(0), block.timestamp, "");
        vm.warp(block.timestamp + ROTATION_DELAY);
        vm.expectRevert(abi.encodeWithSelector(PayeeRegistry.NoRotation.selector, idOf(0)));
        payees.completeRotation(idOf(0));
        vm.expectRevert(abi.encodeWithSelector(PayeeRegistry.NoRotation.selector, idOf(0)));
        vm.prank(accountOf(0));
        payees.cancelRotation(idOf(0), block.timestamp, "");
    }

    function test_a_later_request_waits_the_whole_delay_again() public {
        askByHolder(0, other);
        vm.warp(block.timestamp + ROTATION_DELAY - 1);
        askByHolder(0, fresh);
        vm.warp(block.timestamp + 1);
        vm.expectPartialRevert(PayeeRegistry.RotationNotReady.selector);
        payees.completeRotation(idOf(0));
    }

    // ---- the community ---------------------------------------------------------------------------------------------

    function testFuzz_a_community_moves_a_silent_holder(uint8 who) public {
        who %= 8;
        bool enough = who == 3 || who == 5 || who >= 6;
        bytes[] memory list = signatures(communityDigest(idOf(0), fresh, block.timestamp), who);
        if (!enough) vm.expectPartialRevert(PayeeRegistry.TooFewSignatures.selector);
        payees.requestRotationByCommunity(idOf(0), fresh, block.timestamp, list);
        if (!enough) return;
        waitAndComplete(idOf(0));
        vm.assertEq(payees.accountOf(idOf(0)), fresh, "the new account");
    }

    function test_a_community_has_no_say_over_payees_of_another_or_of_none() public {
        bytes32 theirs = keccak256("of community 2");
        vm.startPrank(registrar);
        address[] memory two = new address[](1);
        two[0] = stranger;
        payees.createCommunity(2, two, 1, FUND);
        payees.registerPayees(bytes.concat(row(theirs, other, 2), row(keccak256("of none"), other, 0)));
        vm.stopPrank();
        bytes[] memory list = signatures(communityDigest(theirs, fresh, block.timestamp), ALL_SIGN);
        vm.expectPartialRevert(PayeeRegistry.TooFewSignatures.selector);
        payees.requestRotationByCommunity(theirs, fresh, block.timestamp, list);
        vm.expectRevert(abi.encodeWithSelector(PayeeRegistry.UnknownCommunity.selector, 0));
        payees.requestRotationByCommunity(keccak256("of none"), fresh, block.timestamp, list);
    }

    function test_the_holder_vetoes_two_of_three_to_the_last_second_and_after() public {
        askByCommunity(idOf(0), fresh, TWO_SIGN);
        vm.warp(block.timestamp + ROTATION_DELAY);
        vm.prank(accountOf(0));
        payees.cancelRotation(idOf(0), block.timestamp, "");
        vm.expectRevert(abi.encodeWithSelector(PayeeRegistry.NoRotation.selector, idOf(0)));
        payees.completeRotation(idOf(0));
    }

    function test_a_veto_is_brought_by_signature_once() public {
        askByCommunity(idOf(0), fresh, TWO_SIGN);
        bytes memory veto = signed(keyOf(0), cancelDigest(idOf(0), 0, block.timestamp));
        vm.prank(stranger);
        payees.cancelRotation(idOf(0), block.timestamp, veto);
        askByCommunity(idOf(0), fresh, TWO_SIGN);
        vm.expectPartialRevert(PayeeRegistry.WrongSignature.selector);
        payees.cancelRotation(idOf(0), block.timestamp, veto);
    }

    function test_no_veto_against_all_members() public {
        askByCommunity(idOf(0), fresh, ALL_SIGN);
        vm.expectRevert(abi.encodeWithSelector(PayeeRegistry.NoVeto.selector, idOf(0)));
        vm.prank(accountOf(0));
        payees.cancelRotation(idOf(0), block.timestamp, "");
        vm.expectRevert(abi.encodeWithSelector(PayeeRegistry.RotationPending.selector, idOf(0)));
        vm.prank(accountOf(0));
        payees.requestRotation(idOf(0), other, block.timestamp, "");
        waitAndComplete(idOf(0));
        vm.assertEq(payees.accountOf(idOf(0)), fresh, "the new account");
    }

    function test_two_who_vote_the_third_out_do_not_become_all() public {
        address[] memory two = new address[](2);
        (two[0], two[1]) = (members()[0], members()[1]);
        changeMembers(two, 2, TWO_SIGN);
        bytes32 digest = communityDigest(idOf(0), fresh, block.timestamp);
        bytes[] memory list = new bytes[](2);
        (list[0], list[1]) = (signed(memberKey(0), digest), signed(memberKey(1), digest));
        payees.requestRotationByCommunity(idOf(0), fresh, block.timestamp, list);
        vm.prank(accountOf(0));
        payees.cancelRotation(idOf(0), block.timestamp, "");
        (, uint64 readyAt,,) = payees.rotationOf(idOf(0));
        vm.assertEq(readyAt, 0, "the holder's veto holds");
    }

    function test_community_signatures_are_no_holder_signatures_and_the_reverse() public {
        // The holder is a member too: what was signed in one part is not good in the other.
        bytes32 id = keccak256("held by a member");
        vm.prank(registrar);
        payees.registerPayees(row(id, members()[0], COMMUNITY));
        bytes32 asMember = communityDigest(id, fresh, block.timestamp);
        vm.expectPartialRevert(PayeeRegistry.WrongSignature.selector);
        payees.requestRotation(id, fresh, block.timestamp, signed(memberKey(0), asMember));
        bytes32 asHolder = rotationDigest(id, fresh, 0, block.timestamp);
        bytes[] memory list = signatures(asMember, 6);
        list[0] = signed(memberKey(0), asHolder);
        vm.expectPartialRevert(PayeeRegistry.WrongSignature.selector);
        payees.requestRotationByCommunity(id, fresh, block.timestamp, list);
    }

    function test_members_signatures_hold_once_in_time_on_their_chain() public {
        uint256 deadline = block.timestamp + 10;
        bytes[] memory list = signatures(communityDigest(idOf(0), fresh, deadline), TWO_SIGN);
        vm.warp(deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(PayeeRegistry.SignatureExpired.selector, deadline));
        payees.requestRotationByCommunity(idOf(0), fresh, deadline, list);
        vm.warp(deadline);
        vm.chainId(block.chainid + 1);
        vm.expectPartialRevert(PayeeRegistry.WrongSignature.selector);
        payees.requestRotationByCommunity(idOf(0), fresh, deadline, list);
        vm.chainId(block.chainid - 1);
        payees.requestRotationByCommunity(idOf(0), fresh, deadline, list);
        vm.prank(accountOf(0));
        payees.cancelRotation(idOf(0), deadline, "");
        vm.expectPartialRevert(PayeeRegistry.WrongSignature.selector);
        payees.requestRotationByCommunity(idOf(0), fresh, deadline, list);
    }
}
