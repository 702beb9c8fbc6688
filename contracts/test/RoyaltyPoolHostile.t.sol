// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {RoyaltyPool} from "../src/RoyaltyPool.sol";
import {Pools} from "./base/Pools.sol";
import {FeeToken, HostileToken, NoReturnToken, PlainToken, Uint96Token} from "./mocks/HostileTokens.sol";
import {Reenterer} from "./mocks/Wallets.sol";

/// @dev Tells the sender before it moves money (in the manner of ERC-777's hook on the paying side).
contract SenderHookToken is PlainToken {
    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        if (from.code.length > 0) Payer(from).tokensToSend(to);
        return super.transferFrom(from, to, amount);
    }
}

/// @dev A payer that acts while it is paying, and notes what the pool says at that moment.
contract Payer {
    bytes private _attack;
    uint256 private _gift;
    bool public succeeded;
    bytes public answer;
    uint256 public owedThen;

    function pay(RoyaltyPool pool, bytes32 key, uint256 amount, bytes calldata attack, uint256 gift) external {
        (_attack, _gift) = (attack, gift);
        pool.token().approve(address(pool), type(uint256).max);
        pool.pay(key, amount);
    }

    function tokensToSend(address to) external {
        owedThen = RoyaltyPool(to).totalOwed();
        if (_gift > 0) IERC20(msg.sender).transfer(to, _gift);
        if (_attack.length > 0) (succeeded, answer) = to.call(_attack);
    }
}

/// @notice Tokens and payees that misbehave: the pool owes and holds the same, and nobody loses by another's fault.
contract RoyaltyPoolHostileTest is Pools {
    bytes4 private constant ENTERED = ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector;

    HostileToken private hostile;
    bytes32 private shared;

    function setUp() public {
        hostile = new HostileToken();
        shared = _six(hostile);
    }

    // ---- tokens that move something else than they were told -------------------------------------------------------

    function test_a_token_that_keeps_a_fee_is_refused_in_every_way_to_pay() public {
        bytes32 key = _prepared(new FeeToken());
        mint(address(this), 1000);
        vm.expectRevert(abi.encodeWithSelector(RoyaltyPool.WrongAmount.selector, 1000, 990));
        pool.pay(key, 1000);
        uint256[] memory amounts = new uint256[](1);
        amounts[0] = 1000;
        vm.expectRevert(abi.encodeWithSelector(RoyaltyPool.WrongAmount.selector, 1000, 990));
        pool.payMany(one(key), amounts);
        RoyaltyPool.RecordedPayment[] memory list = new RoyaltyPool.RecordedPayment[](1);
        bytes memory record = pack(draftBy(0, 0, new bytes32[](0)));
        list[0] = RoyaltyPool.RecordedPayment(0, 0, 1000, record, new bytes32[](0));
        vm.expectRevert(abi.encodeWithSelector(RoyaltyPool.WrongAmount.selector, 1000, 990));
        pool.payRecorded(list);
    }

    function test_a_token_that_returns_nothing_serves() public {
        bytes32 key = _prepared(PlainToken(address(new NoReturnToken())));
        pay(key, 1000);
        pool.withdraw(idOf(0));
        pay(key, 500);
        pool.withdrawMany(one(idOf(0)));
        vm.assertEq(token.balanceOf(accountOf(0)), 1500, "paid");
    }

    function test_a_token_that_says_no_by_returning_false_takes_no_effect() public {
        hostile.treat(address(pool), HostileToken.Treatment.RETURNS_FALSE);
        mint(address(this), 10);
        vm.expectRevert();
        pool.pay(shared, 10);
        vm.assertEq(pool.totalOwed(), 0, "owed");
    }

    function test_a_token_of_96_bits_pays_what_fits() public {
        bytes32 key = _prepared(new Uint96Token());
        mint(address(this), type(uint96).max);
        vm.expectRevert(
            abi.encodeWithSelector(Uint96Token.AmountExceeds96Bits.selector, uint256(type(uint96).max) + 1)
        );
        pool.pay(key, uint256(type(uint96).max) + 1);
        pool.pay(key, type(uint96).max);
        pool.withdraw(idOf(0));
        vm.assertEq(token.balanceOf(accountOf(0)), type(uint96).max, "paid");
    }

    // ---- payees who cannot receive ---------------------------------------------------------------------------------

    function testFuzz_whoever_cannot_receive_keeps_the_balance_and_stops_nobody(uint8[6] memory how) public {
        pay(shared, 6000);
        bytes32[] memory ids = new bytes32[](6);
        for (uint256 i = 0; i < 6; ++i) {
            ids[i] = idOf(i);
            // All but those who burn all gas, or call back where nobody answers.
            hostile.treat(accountOf(i), HostileToken.Treatment(how[i] % 6));
        }
        pool.withdrawMany(ids);
        uint256 owed = 0;
        for (uint256 i = 0; i < 6; ++i) {
            HostileToken.Treatment treatment = hostile.treatmentOf(accountOf(i));
            bool paid =
                treatment == HostileToken.Treatment.PAYS || treatment == HostileToken.Treatment.BOMBS_IN_RETURN;
            vm.assertEq(token.balanceOf(accountOf(i)), paid ? 1000 : 0, "received");
            vm.assertEq(pool.balanceOf(idOf(i)), paid ? 0 : 1000, "kept");
            owed += paid ? 0 : 1000;
            hostile.treat(accountOf(i), HostileToken.Treatment.PAYS);
        }
        vm.assertEq(pool.totalOwed(), owed, "owed");
        vm.assertEq(token.balanceOf(address(pool)), owed, "held");
        pool.withdrawMany(ids);
        vm.assertEq(pool.totalOwed(), 0, "once they can receive, all is paid");
    }

    function test_a_payee_who_burns_all_gas_is_left_out_by_the_next_caller() public {
        pay(shared, 6000);
        hostile.treat(accountOf(0), HostileToken.Treatment.BURNS_ALL_GAS);
        vm.expectRevert();
        pool.withdraw{gas: 500_000}(idOf(0));
        pool.withdraw{gas: 500_000}(idOf(1));
        vm.assertEq(token.balanceOf(accountOf(1)), 1000, "the others are paid");
        vm.assertEq(pool.balanceOf(idOf(0)), 1000, "and this one loses nothing");
    }

    function test_a_blocklisted_payee_rotates_and_is_paid() public {
        pay(shared, 6000);
        hostile.treat(accountOf(0), HostileToken.Treatment.REVERTS);
        vm.expectRevert(abi.encodeWithSelector(HostileToken.Blocked.selector, accountOf(0)));
        pool.withdraw(idOf(0));
        askByHolder(0, accountOf(99));
        waitAndComplete(idOf(0));
        pool.withdraw(idOf(0));
        vm.assertEq(token.balanceOf(accountOf(99)), 1000, "paid");
    }

    // ---- re-entrancy -----------------------------------------------------------------------------------------------

    /// @dev Every function that moves or credits money, called from within either kind of withdrawal.
    function test_no_function_is_entered_from_within_a_payment_out() public {
        (Reenterer thief, bytes32 id, bytes32 key) = _thief();
        uint256 state = vm.snapshotState();
        for (uint8 which = 0; which < 10; ++which) {
            thief.set(address(pool), _attack(which % 5, id, key), abi.encodeWithSignature("totalOwed()"));
            if (which < 5) pool.withdrawMany(two(id, idOf(1)));
            else pool.withdraw(id);
            vm.assertEq(thief.numCalls(), 1, "called");
            vm.assertFalse(thief.succeeded(), "refused");
            vm.assertEq(bytes4(thief.answer()), ENTERED, "by the guard");
            vm.assertEq(abi.decode(thief.seen(), (uint256)), 500, "and what it saw was booked already");
            vm.assertEq(token.balanceOf(address(thief)), 500, "paid once");
            vm.assertEq(pool.balanceOf(id), 0, "and no more");
            vm.revertToState(state);
        }
    }

    function test_no_function_is_entered_from_within_a_payment_in() public {
        bytes32 key = _prepared(new SenderHookToken());
        Payer payer = new Payer();
        mint(address(payer), 1000);
        payer.pay(pool, key, 100, "", 0);
        for (uint8 which = 0; which < 5; ++which) {
            payer.pay(pool, key, 50, _attack(which, idOf(0), key), 0);
            vm.assertFalse(payer.succeeded(), "refused");
            vm.assertEq(bytes4(payer.answer()), ENTERED, "by the guard");
            vm.assertEq(payer.owedThen(), 100 + 50 * uint256(which), "nothing is owed before it has arrived");
            vm.assertEq(pool.totalOwed(), payer.owedThen() + 50, "owed");
            vm.assertEq(token.balanceOf(address(pool)), pool.totalOwed(), "held");
        }
    }

    function test_a_gift_on_the_way_does_not_count_as_payment() public {
        bytes32 key = _prepared(new SenderHookToken());
        Payer payer = new Payer();
        mint(address(payer), 1000);
        vm.expectRevert(abi.encodeWithSelector(RoyaltyPool.WrongAmount.selector, 50, 57));
        payer.pay(pool, key, 50, "", 7);
    }

    function _attack(uint8 which, bytes32 id, bytes32 key) private pure returns (bytes memory) {
        uint256[] memory amounts = new uint256[](1);
        if (which == 0) return abi.encodeCall(RoyaltyPool.withdraw, (id));
        if (which == 1) return abi.encodeCall(RoyaltyPool.withdrawMany, (one(id)));
        if (which == 2) return abi.encodeCall(RoyaltyPool.pay, (key, 1));
        if (which == 3) return abi.encodeCall(RoyaltyPool.payMany, (one(key), amounts));
        return abi.encodeCall(RoyaltyPool.payRecorded, (new RoyaltyPool.RecordedPayment[](0)));
    }

    // ---- beginnings ------------------------------------------------------------------------------------------------

    /// @dev One work of payee 0, with the number 0.
    function _prepared(PlainToken token_) private returns (bytes32 key) {
        build(token_, 6);
        buildPool(RoyaltyPool.Rule.LAP, true, 0);
        return openBoth(draftBy(0, 0, new bytes32[](0)));
    }

    /// @dev One work of six payees in equal parts but for rounding that 6,000 units do not see.
    function _six(PlainToken token_) private returns (bytes32 key) {
        build(token_, 6);
        buildPool(RoyaltyPool.Rule.LAP, true, 0);
        bytes32[] memory sources = new bytes32[](5);
        for (uint256 i = 0; i < 5; ++i) {
            sources[i] = openBoth(draftBy(i, 16_666_667, new bytes32[](0)));
        }
        return openBoth(draftBy(5, 0, sources));
    }

    /// @dev A payee who is a contract that calls back; it and payee 1 are owed 500 each.
    function _thief() private returns (Reenterer thief, bytes32 id, bytes32 key) {
        thief = new Reenterer();
        id = keccak256("thief");
        vm.prank(registrar);
        payees.registerPayees(row(id, address(thief), COMMUNITY));
        Draft memory d = draft("shared");
        (d.stemIds, d.stemBps) = (new bytes32[](2), new uint16[](2));
        (d.stemIds[0], d.stemBps[0], d.stemIds[1], d.stemBps[1]) = (id, 5_000, idOf(1), 5_000);
        key = openBoth(d);
        pay(key, 1000);
        hostile.treat(address(thief), HostileToken.Treatment.CALLS_RECIPIENT);
    }
}
