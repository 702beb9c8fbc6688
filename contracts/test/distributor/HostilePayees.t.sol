// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {EpochDistributor} from "../../src/EpochDistributor.sol";
import {World} from "../base/World.sol";
import {FeeToken, HostileToken, NoReturnToken, PlainToken, Uint96Token} from "../mocks/HostileTokens.sol";
import {Reenterer} from "../mocks/Wallets.sol";

/// @notice Tokens that behave badly, and payees who do while they are being paid.
contract HostilePayeesTest is World {
    uint256 private constant NUM_PAYEES = 6;
    HostileToken private hostile;

    function setUp() public {
        hostile = new HostileToken();
        build(hostile, NUM_PAYEES);
    }

    // ---- one payee cannot stop the others --------------------------------------------------------------------------

    function testFuzz_a_payee_who_cannot_be_paid_is_passed_over_and_paid_later(uint8 treatment, bool many) public {
        HostileToken.Treatment[4] memory refusals = [
            HostileToken.Treatment.REVERTS,
            HostileToken.Treatment.RETURNS_FALSE,
            HostileToken.Treatment.RETURNS_TWO,
            HostileToken.Treatment.BOMBS_IN_REVERT
        ];
        Statement memory s = ladder(NUM_PAYEES, 10);
        settle(s);
        hostile.treat(accountOf(2), refusals[treatment % 4]);
        if (many) distributor.claimMany(claimList(s, range(0, NUM_PAYEES)));
        else claimAtOnce(s, range(0, NUM_PAYEES));
        vm.assertEq(token.balanceOf(accountOf(2)), 0, "not paid");
        vm.assertEq(distributor.claimed(idOf(2)), 0, "and not on record as paid");
        vm.assertEq(totalClaimed(), s.total - 30, "booked: the others only");
        vm.assertEq(token.balanceOf(address(distributor)), 30, "the money waits");

        hostile.treat(accountOf(2), HostileToken.Treatment.PAYS);
        claim(s, 2);
        vm.assertEq(token.balanceOf(accountOf(2)), 30, "paid later");
    }

    function test_a_single_claim_that_fails_says_so_and_books_nothing() public {
        Statement memory s = ladder(NUM_PAYEES, 10);
        settle(s);
        hostile.treat(accountOf(1), HostileToken.Treatment.REVERTS);
        vm.expectRevert(abi.encodeWithSelector(HostileToken.Blocked.selector, accountOf(1)));
        claim(s, 1);
        hostile.treat(accountOf(1), HostileToken.Treatment.RETURNS_FALSE);
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(token)));
        claim(s, 1);
        vm.assertEq(totalClaimed(), 0, "books");
    }

    function test_a_blocked_payee_is_paid_after_rotation() public {
        Statement memory s = ladder(NUM_PAYEES, 10);
        settle(s);
        hostile.treat(accountOf(1), HostileToken.Treatment.REVERTS);
        vm.prank(accountOf(1));
        payees.requestRotation(idOf(1), stranger, block.timestamp, "");
        vm.warp(block.timestamp + ROTATION_DELAY);
        payees.completeRotation(idOf(1));
        claim(s, 1);
        vm.assertEq(token.balanceOf(stranger), 20, "at the new account");
    }

    /// @dev Half a megabyte of answer costs the caller nothing that is worth naming: it is not copied.
    function test_a_return_bomb_is_not_copied() public {
        Statement memory s = ladder(NUM_PAYEES, 10);
        settle(s);
        hostile.treat(accountOf(2), HostileToken.Treatment.BOMBS_IN_RETURN);
        hostile.treat(accountOf(3), HostileToken.Treatment.BOMBS_IN_REVERT);
        uint256 before = gasleft();
        distributor.claimMany(claimList(s, range(0, NUM_PAYEES)));
        // Each bomb's own memory is about 574,000 gas, paid in its frame; copying would take as much again, twice.
        vm.assertLt(before - gasleft(), 2_000_000, "gas");
        vm.assertEq(token.balanceOf(accountOf(2)), 30, "a true answer at the head of a bomb is a payment");
        vm.assertEq(token.balanceOf(accountOf(3)), 0, "a bomb in a revert is none");
    }

    /// @dev A recipient that burns all gas takes 63/64 of the batch's. The batch fails whole and moves nothing; whoever
    /// brings it leaves that payee out, and everybody else is paid.
    function test_a_gas_griefer_costs_a_batch_but_no_payee() public {
        Statement memory s = ladder(NUM_PAYEES, 10);
        settle(s);
        hostile.treat(accountOf(0), HostileToken.Treatment.BURNS_ALL_GAS);
        EpochDistributor.Claim[] memory all = claimList(s, range(0, NUM_PAYEES));
        (bool done,) = address(distributor).call{gas: 1_000_000}(abi.encodeCall(distributor.claimMany, (all)));
        vm.assertFalse(done, "the batch runs out of gas");
        vm.assertEq(totalClaimed(), 0, "and moves nothing");
        claimAtOnce(s, range(1, NUM_PAYEES));
        vm.assertEq(totalClaimed(), s.total - 10, "the others are paid");
    }

    // ---- calling back ----------------------------------------------------------------------------------------------

    function testFuzz_no_door_opens_while_a_payee_is_being_paid(uint8 door, uint8 way) public {
        Reenterer attacker = _attackerAsPayee(NUM_PAYEES);
        Statement memory s = _withAttacker(address(attacker));
        settle(s);
        mint(address(attacker), 1_000);
        attacker.set(address(token), abi.encodeCall(token.approve, (address(distributor), type(uint256).max)), "");
        attacker.tokensReceived(0);
        uint256[] memory own = range(NUM_PAYEES, NUM_PAYEES + 1);
        bytes[8] memory doors = [
            abi.encodeCall(distributor.claim, (s.ids[NUM_PAYEES], s.amounts[NUM_PAYEES], proofOf(s, NUM_PAYEES))),
            abi.encodeCall(distributor.claimMany, (claimList(s, own))),
            abi.encodeCall(distributor.fund, (1)),
            abi.encodeCall(distributor.expire, (idOf(1))),
            abi.encodeCall(distributor.windUp, ()),
            abi.encodeCall(distributor.claimMulti, (_idOfAttacker(), new uint256[](1), new bytes32[](0), new bool[](0))),
            abi.encodeCall(distributor.claimEscape, (s.ids[NUM_PAYEES], s.amounts[NUM_PAYEES], proofOf(s, NUM_PAYEES))),
            abi.encodeCall(distributor.takeBack, ())
        ];
        attacker.set(address(distributor), doors[door % 8], "");
        hostile.treat(address(attacker), HostileToken.Treatment.CALLS_RECIPIENT);
        if (way % 3 == 0) claim(s, NUM_PAYEES);
        else if (way % 3 == 1) distributor.claimMany(claimList(s, range(0, NUM_PAYEES + 1)));
        else claimAtOnce(s, range(0, NUM_PAYEES + 1));
        vm.assertEq(attacker.numCalls(), 2, "it did call back");
        vm.assertFalse(attacker.succeeded(), "and was refused");
        vm.assertEq(
            attacker.answer(),
            abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector),
            "by the guard"
        );
        vm.assertEq(token.balanceOf(address(attacker)), 1_000 + s.amounts[NUM_PAYEES], "paid once");
    }

    function test_no_door_opens_while_a_share_of_a_winding_up_is_paid() public {
        Reenterer attacker = _attackerAsPayee(NUM_PAYEES);
        Statement memory s = _withAttacker(address(attacker));
        settle(s);
        mint(poster, s.total);
        vm.prank(poster);
        distributor.fund(s.total);
        vm.warp(block.timestamp + SILENCE);
        distributor.windUp();
        bytes32[] memory proof = proofOf(s, NUM_PAYEES);
        attacker.set(
            address(distributor),
            abi.encodeCall(distributor.claimEscape, (s.ids[NUM_PAYEES], s.amounts[NUM_PAYEES], proof)),
            abi.encodeWithSignature("escaped()")
        );
        hostile.treat(address(attacker), HostileToken.Treatment.CALLS_RECIPIENT);
        distributor.claimEscape(s.ids[NUM_PAYEES], s.amounts[NUM_PAYEES], proof);
        _assertShutOut(attacker, s.amounts[NUM_PAYEES]);
    }

    function test_no_door_opens_while_expired_money_is_paid_to_a_fund() public {
        Reenterer attacker = _attackerAsPayee(NUM_PAYEES);
        vm.startPrank(registrar);
        payees.createCommunity(2, members(), THRESHOLD, idOf(NUM_PAYEES));
        payees.registerPayees(row(idOf(NUM_PAYEES + 1), accountOf(NUM_PAYEES + 1), 2));
        vm.stopPrank();
        Statement memory s = ladder(NUM_PAYEES + 2, 10);
        settle(s);
        uint256 late = NUM_PAYEES + 1;
        bytes32[] memory proof = proofOf(s, late);
        distributor.giveNotice(s.ids[late], s.amounts[late], proof);
        vm.warp(block.timestamp + NOTICE);
        attacker.set(
            address(distributor),
            abi.encodeCall(distributor.claim, (s.ids[late], s.amounts[late], proof)),
            abi.encodeWithSignature("claimed(bytes32)", s.ids[late])
        );
        hostile.treat(address(attacker), HostileToken.Treatment.CALLS_RECIPIENT);
        distributor.expire(s.ids[late]);
        _assertShutOut(attacker, s.amounts[late]);
    }

    /// @dev It called back once, was refused by the guard, saw its payment booked already, and was paid once.
    function _assertShutOut(Reenterer attacker, uint256 amount) private view {
        vm.assertEq(attacker.numCalls(), 1, "it did call back");
        vm.assertFalse(attacker.succeeded(), "and was refused");
        vm.assertEq(
            attacker.answer(),
            abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector),
            "by the guard"
        );
        vm.assertEq(abi.decode(attacker.seen(), (uint256)), amount, "booked before it was paid");
        vm.assertEq(token.balanceOf(address(attacker)), amount, "paid once");
    }

    function _idOfAttacker() private pure returns (bytes32[] memory ids) {
        ids = new bytes32[](1);
        ids[0] = idOf(NUM_PAYEES);
    }

    function test_views_tell_the_truth_in_the_middle_of_a_payment() public {
        Reenterer attacker = _attackerAsPayee(NUM_PAYEES);
        Statement memory s = _withAttacker(address(attacker));
        settle(s);
        bytes32[] memory own = new bytes32[](1);
        own[0] = s.ids[NUM_PAYEES];
        hostile.treat(address(attacker), HostileToken.Treatment.CALLS_RECIPIENT);
        attacker.set(address(distributor), "", abi.encodeCall(distributor.claimedOf, (own)));
        claim(s, NUM_PAYEES);
        uint256[] memory seen = abi.decode(attacker.seen(), (uint256[]));
        vm.assertEq(seen[0], s.amounts[NUM_PAYEES], "what is being paid counts as paid already");
    }

    /// @dev Finalising and disputing are not guarded: they move no money. Neither may change what a running claim pays.
    function test_a_root_made_final_in_the_middle_of_a_claim_changes_no_amount() public {
        Reenterer attacker = _attackerAsPayee(NUM_PAYEES);
        Statement memory s = _withAttacker(address(attacker));
        settle(s);
        Statement memory next = ladder(NUM_PAYEES, 1_000);
        uint256 epoch = post(next);
        vm.warp(block.timestamp + WINDOW);
        hostile.treat(address(attacker), HostileToken.Treatment.CALLS_RECIPIENT);
        attacker.set(address(distributor), abi.encodeCall(distributor.finalize, (epoch)), "");
        uint256[] memory chosen = new uint256[](2);
        (chosen[0], chosen[1]) = (0, NUM_PAYEES);
        distributor.claimMany(claimList(s, chosen));
        vm.assertTrue(attacker.succeeded(), "finalised in the middle");
        vm.assertEq(token.balanceOf(address(attacker)), s.amounts[NUM_PAYEES], "as the old root says");
        claim(next, 0);
        vm.assertEq(token.balanceOf(accountOf(0)), 1_000, "and the new root goes on from there");
    }

    // ---- odd tokens ------------------------------------------------------------------------------------------------

    function test_a_token_that_keeps_a_fee_cannot_fund_an_epoch_short() public {
        build(new FeeToken(), NUM_PAYEES);
        mint(poster, 1_000);
        bytes32 head = provenance.head();
        vm.expectRevert(abi.encodeWithSelector(EpochDistributor.WrongDeposit.selector, 1_000, 990));
        vm.prank(poster);
        distributor.post(0, keccak256("root"), 1_000, head, DATA);
    }

    function test_of_a_token_that_keeps_a_fee_only_what_arrives_is_counted() public {
        build(new FeeToken(), NUM_PAYEES);
        mint(poster, 1_000);
        vm.prank(poster);
        distributor.fund(1_000);
        vm.assertEq(funded(), 990, "what arrived");
        Statement memory s = ladder(4, 99);
        post(s);
        vm.warp(block.timestamp + WINDOW);
        distributor.finalize(0);
        for (uint256 i = 0; i < 4; ++i) {
            claim(s, i);
        }
        vm.assertEq(token.balanceOf(address(distributor)), 0, "all claims are covered");
    }

    function test_a_token_that_returns_nothing_is_paid_like_any_other() public {
        build(IERC20(address(new NoReturnToken())), NUM_PAYEES);
        Statement memory s = ladder(NUM_PAYEES, 10);
        settle(s);
        claim(s, 0);
        claimAtOnce(s, range(0, NUM_PAYEES));
        for (uint256 i = 0; i < NUM_PAYEES; ++i) {
            vm.assertEq(token.balanceOf(accountOf(i)), 10 * (i + 1), "paid");
        }
    }

    function test_a_token_that_says_no_funds_nothing() public {
        mint(poster, 100);
        hostile.treat(address(distributor), HostileToken.Treatment.RETURNS_FALSE);
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(token)));
        vm.prank(poster);
        distributor.fund(100);
        vm.assertEq(funded(), 0, "books");
    }

    function test_a_deposit_too_large_for_the_token_leaves_no_epoch_behind() public {
        build(new Uint96Token(), NUM_PAYEES);
        uint256 total = uint256(type(uint96).max) + 1;
        PlainToken(address(token)).mint(poster, type(uint96).max);
        PlainToken(address(token)).mint(poster, 1);
        bytes32 head = provenance.head();
        vm.expectRevert(abi.encodeWithSelector(Uint96Token.AmountExceeds96Bits.selector, total));
        vm.prank(poster);
        distributor.post(0, keccak256("root"), total, head, DATA);
        // In two parts it goes through.
        vm.prank(poster);
        distributor.fund(type(uint96).max);
        vm.prank(poster);
        distributor.post(0, keccak256("root"), total, head, DATA);
        vm.assertEq(funded(), total, "funded in two parts");
    }

    function test_a_token_that_calls_the_poster_back_while_posting_is_no_way_in() public {
        hostile.treat(address(distributor), HostileToken.Treatment.CALLS_RECIPIENT);
        // The hook goes to the distributor, which has none: the token's call fails, and so does the posting.
        mint(poster, 100);
        bytes32 head = provenance.head();
        vm.expectRevert();
        vm.prank(poster);
        distributor.post(0, keccak256("root"), 100, head, DATA);
        vm.assertEq(nextEpoch(), 0, "nothing posted");
    }

    function _attackerAsPayee(uint256 i) private returns (Reenterer attacker) {
        attacker = new Reenterer();
        vm.prank(registrar);
        payees.registerPayees(row(idOf(i), address(attacker), COMMUNITY));
    }

    function _withAttacker(address) private view returns (Statement memory) {
        return ladder(NUM_PAYEES + 1, 10);
    }
}
